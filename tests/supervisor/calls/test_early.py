from __future__ import annotations

from plughost.supervisor.calls.early import EarlyLook


def looks(early: EarlyLook, calls: int, *, found: bool) -> int:
    count = 0
    for _ in range(calls):
        if early.due():
            count += 1
            early.found() if found else early.missed()
    return count


def test_every_call_looks_while_it_helps() -> None:
    assert looks(EarlyLook(), 100, found=True) == 100


def test_looks_in_vain_grow_rare_but_never_stop() -> None:
    early = EarlyLook()

    assert looks(early, 127, found=False) == 7
    assert looks(early, 640, found=False) == 10


def test_one_success_brings_them_all_back() -> None:
    early = EarlyLook()
    looks(early, 1000, found=False)
    while not early.due():
        continue
    early.found()

    assert looks(early, 50, found=True) == 50
