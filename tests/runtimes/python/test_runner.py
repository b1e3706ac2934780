"""How the runner loads a plugin, and what it says when that cannot work (runtimes/README.md)."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.runtimes.python.conftest import PRELUDE, Launch
from tests.runtimes.python.wire_client import PYTHON, RUNNER, SDK, WireClient, start_process


def log_of(plugin: WireClient) -> tuple[int, str]:
    plugin.close_wire()
    return plugin.exit_status(), plugin.log


def declaring(options: str, parameters: str) -> str:
    return f"{PRELUDE}\n@plugin.tool{options}\ndef f({parameters}): ...\nplugin.run()\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:\n", "main.py:1: invalid syntax"),
        ("x = 1\ny = 'open\n", "main.py:2: unterminated string literal"),
        ("x = '\0'\n", "main.py:1: source code string cannot contain null bytes"),
        ("import helper\n", "helper.py:2: "),
        ("print('hello')\n", "main.py ended without serving: end it with plugin.run()"),
        ("import sys\nsys.exit()\n", "main.py ended without serving"),
        (declaring("", "x"), "tool 'f', parameter 'x' has no type"),
        (declaring("", "x: Nope"), "'Nope' cannot be resolved"),
        (declaring("(name='a b')", ""), "main.py:8: 'a b' cannot name a tool"),
    ],
)  # fmt: skip
def test_what_can_never_work_is_one_sentence_and_status_78(
    launch: Launch, source: str, words: str
) -> None:
    """Contract: wire 11.2."""
    plugin = launch(source, whole=True, files={"helper.py": "\ndef f(:\n"})

    status, log = log_of(plugin)

    assert status == 78
    assert words in log
    assert "Traceback" not in log
    assert log.removeprefix("hello\n").count("\n") == 1


def test_a_missing_entry_is_explained(launch: Launch, tmp_path: Path) -> None:
    done = subprocess.run(
        [PYTHON, "-I", "-S", str(RUNNER), str(tmp_path), "gone.py"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )

    assert done.returncode == 78
    assert done.stderr == (
        f"{tmp_path}/gone.py: No such file or directory: "
        "correct 'entry' in plugin.toml (it says 'gone.py')\n"
    )


def test_another_exception_while_loading_is_a_traceback_and_status_1(launch: Launch) -> None:
    status, log = log_of(launch("x = 1\nx.missing\n", whole=True))

    assert status == 1
    assert "main.py failed while it was loaded" in log
    assert 'main.py", line 2, in <module>' in log
    assert "AttributeError" in log
    assert "plughost_sdk/" not in log


@pytest.mark.parametrize(("code", "status"), [("3", 3), ("'no key'", 1)])
def test_an_entry_may_choose_its_status(launch: Launch, code: str, status: int) -> None:
    found, log = log_of(launch(f"import sys\nsys.exit({code})\n", whole=True))

    assert found == status
    assert log == ("no key\n" if status == 1 else "")


def test_the_runner_without_arguments_says_how_it_is_used() -> None:
    done = subprocess.run(
        [PYTHON, "-I", "-S", str(RUNNER)],
        capture_output=True, encoding="utf-8", check=False, timeout=30,
    )  # fmt: skip

    assert done.returncode == 64
    assert "PLUGIN_DIR ENTRY" in done.stderr


def test_the_entry_is_main_and_finds_the_modules_beside_it(launch: Launch) -> None:
    plugin = launch(
        """
import pickle
import runner, helper

class Own: pass

@plugin.tool
def about() -> dict[str, Any]:
    return {"name": __name__, "file": __file__, "argv": sys.argv, "path": sys.path[0],
            "helper": helper.WORD, "runner": runner.WORD,
            "main": sys.modules["__main__"].Own is Own,
            "pickles": type(pickle.loads(pickle.dumps(Own()))).__name__,
            "cwd": os.getcwd()}
""",
        files={"helper.py": "WORD = 'beside'\n", "runner.py": "WORD = 'mine'\n",
               "plughost_sdk.py": "raise RuntimeError('not the SDK')\n"},
    ).begin()  # fmt: skip

    about = plugin.data("about")

    folder = about["cwd"]
    assert about == {
        "name": "__main__",
        "file": f"{folder}/main.py",
        "argv": [f"{folder}/main.py"],
        "path": folder,
        "helper": "beside",
        "runner": "mine",
        "main": True,
        "pickles": "Own",
        "cwd": folder,
    }


def run_twice(tmp_path: Path, *, between: bytes | None = None) -> list[object]:
    """Start ``main.py`` twice and return what its tool ``value`` said."""
    said = []
    for turn in range(2):
        argv = [PYTHON, "-I", "-S", "-u", str(RUNNER), str(tmp_path), "main.py"]
        process, write_to, read_from = start_process(
            argv, folder=tmp_path, env={}, log=tmp_path / "log", on_three=True
        )
        plugin = WireClient(process, write_to, read_from, tmp_path / "log")
        try:
            said.append(plugin.begin().data("value"))
        finally:
            plugin.leave()
        if turn == 0 and between is not None:
            (tmp_path / "main.py").write_bytes(between)
    return said


def entry_that_returns(value: int) -> bytes:
    return (
        f"{PRELUDE}\n@plugin.tool\ndef value() -> int:\n    return {value}\nplugin.run()\n".encode()
    )


def test_an_edit_is_seen_even_if_neither_size_nor_time_changed(tmp_path: Path) -> None:
    """The entry's compiled form is checked by the source's hash (PEP 552)."""
    main = tmp_path / "main.py"
    main.write_bytes(entry_that_returns(1))
    stamp = main.stat().st_mtime_ns
    assert run_twice(tmp_path) == [1, 1]
    assert list((tmp_path / "__pycache__").glob("main.*.pyc"))

    main.write_bytes(entry_that_returns(2))
    os.utime(main, ns=(stamp, stamp))

    assert run_twice(tmp_path, between=entry_that_returns(3)) == [2, 3]


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_cache_is_ignored(tmp_path: Path, damage: bytes | None) -> None:
    (tmp_path / "main.py").write_bytes(entry_that_returns(1))
    run_twice(tmp_path)
    [cache] = (tmp_path / "__pycache__").glob("main.*.pyc")
    cache.write_bytes(cache.read_bytes()[:40] if damage is None else damage)

    assert run_twice(tmp_path) == [1, 1]


def test_a_folder_that_cannot_be_written_has_no_cache(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(entry_that_returns(1))
    (tmp_path / "__pycache__").write_bytes(b"a file where the folder would be")

    assert run_twice(tmp_path) == [1, 1]


def test_the_start_path_loads_nothing_that_is_slow(launch: Launch) -> None:
    """Measured: asyncio 45 ms, inspect and typing 17 ms, json 7 ms."""
    plugin = launch(
        """
import sys
from plughost_sdk import Context, Plugin
plugin = Plugin()

@plugin.on_init
def start(settings: dict) -> None: ...

@plugin.tool
def loaded(flag: bool = False, words: list[str] = [], ctx: Context = None) -> list[str]:
    return sorted(sys.modules)

plugin.run()
""",
        whole=True,
        env={"PLUGHOST_UNMEASURED": "1"},
    ).begin()
    plugin.ask("tools/list")

    loaded = set(plugin.data("loaded"))

    slow = {"asyncio", "inspect", "typing", "dataclasses", "enum", "re", "threading", "traceback",
            "argparse", "pathlib", "runpy", "json", "os", "collections", "functools", "logging",
            "contextlib", "importlib", "signal", "site"}  # fmt: skip
    assert loaded & slow == set()


def test_the_sdk_imports_only_the_standard_library() -> None:
    own = {"plughost_sdk", *sys.stdlib_module_names}
    imported = set()
    for path in (SDK / "plughost_sdk").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(str(node.module).split(".")[0])

    assert imported - own == set()


def test_pip_installs_the_sdk(tmp_path: Path) -> None:
    """What a plugin run alone needs: ``pip install plughost-sdk``."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    wheels = tmp_path / "wheels"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", wheels, SDK],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    [wheel] = wheels.glob("plughost_sdk-*.whl")
    assert stat.S_ISREG(wheel.stat().st_mode)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install",
         "--quiet", "--no-deps", "--no-index", wheel],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip

    done = subprocess.run(
        [environment / "bin" / "python", "-I", "-c",
         ("import plughost_sdk, pathlib\n"
          "folder = pathlib.Path(plughost_sdk.__file__).parent\n"
          "print((folder / 'py.typed').exists(), *sorted(plughost_sdk.__all__))")],
        capture_output=True, encoding="utf-8", check=True, timeout=30,
    )  # fmt: skip

    assert done.stdout.split() == [
        "True", "Cancelled", "Content", "Context", "DeclarationError", "Event", "HostError",
        "Plugin", "Response", "Result", "ToolError",
    ]  # fmt: skip
