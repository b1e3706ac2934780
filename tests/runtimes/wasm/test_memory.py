"""How much memory one guest gets (contracts/wire/wasm.md, 8.1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

RUNNER_FOLDER = Path(__file__).resolve().parents[3] / "runtimes" / "wasm"
MIB = 1024 * 1024


@pytest.fixture
def guest_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], int]:
    monkeypatch.syspath_prepend(RUNNER_FOLDER)
    from wasm_runner.memory import guest_pages  # noqa: PLC0415 - it is on the path from here on

    return guest_pages


@pytest.mark.parametrize(
    ("limit_mib", "used_mib", "pages_mib"),
    [(256, 12, 212), (128, 12, 84), (64, 12, 26), (32, 12, 10), (24, 24, 0.0625)],
)
def test_a_guest_gets_what_the_runner_does_not_need(
    guest_pages: Callable[[int, int], int], limit_mib: int, used_mib: int, pages_mib: float
) -> None:
    assert guest_pages(limit_mib * MIB, used_mib * MIB) * 65536 == pages_mib * MIB


def test_a_limit_the_runner_cannot_live_in_is_refused(
    guest_pages: Callable[[int, int], int],
) -> None:
    with pytest.raises(MemoryError, match="needs 24 MiB"):
        guest_pages(16 * MIB, 0)
