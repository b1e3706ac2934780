"""The test kit for plugin authors."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from plughost.errors import ManifestError, StartError, ToolError, ToolNotFoundError
from plughost.testing import call_tool, open_plugin

MANIFEST = 'name = "{}"\nversion = "1.0.0"\nruntime = "python"\nentry = "main.py"\n'
MAIN = """\
import sys

from plughost_sdk import Plugin

plugin = Plugin()


@plugin.tool
def divide(a: float, b: float) -> float:
    '''Divide a by b.'''
    print("dividing", file=sys.stderr, flush=True)
    return a / b


plugin.run()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plugin.toml").write_text(MANIFEST.format("calculator"), encoding="utf-8")
    (tmp_path / "main.py").write_text(MAIN, encoding="utf-8")
    return tmp_path


async def test_a_plugin_is_called_as_a_host_calls_it(folder: Path) -> None:
    with trio.fail_after(60):
        async with open_plugin(folder) as plugin:
            assert await plugin.call("divide", a=1, b=4) == 0.25
            with pytest.raises(ToolError, match="division by zero"):
                await plugin.call("divide", a=1, b=0)
            failed = await plugin.try_call("divide", a="x", b=1)
            assert failed.error is not None
            assert failed.error.type == "invalid-arguments"
            assert list(plugin.tools()) == ["divide"]
            assert plugin.health().success_count == 1
            assert "dividing" in plugin.logs()


def test_one_call_needs_no_trio(folder: Path) -> None:
    assert call_tool(folder, "divide", a=9, b=3) == 3

    with pytest.raises(ToolNotFoundError, match="did you mean 'divide'"):
        call_tool(folder, "divid", a=9, b=3)


def test_a_lazy_plugin_is_started_too(folder: Path) -> None:
    with (folder / "plugin.toml").open("a", encoding="utf-8") as file:
        file.write('start = "lazy"\n')

    assert call_tool(folder, "divide", a=9, b=3) == 3


def test_a_plugin_that_does_not_start_raises_its_log(folder: Path) -> None:
    (folder / "main.py").write_text("raise RuntimeError('not today')\n", encoding="utf-8")

    with pytest.raises(StartError, match="not today"):
        call_tool(folder, "divide", a=1, b=1)


def test_a_manifest_that_cannot_be_used_is_raised_as_such(folder: Path) -> None:
    (folder / "plugin.toml").write_text("name = 3\n", encoding="utf-8")

    with pytest.raises(ManifestError, match=r"\$\.name"):
        call_tool(folder, "divide", a=1, b=1)
