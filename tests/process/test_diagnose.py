"""Each failed start says the fact, the log's end, and what to do."""

from __future__ import annotations

import errno
import platform
from pathlib import Path

import pytest

from plughost.errors import StartError
from plughost.process.diagnose import explain_exit, explain_silence, explain_spawn
from plughost.process.guard import Exit, open_guard
from plughost.process.launch import Launch, Wire


async def spawn_error(program: Path, cwd: Path = Path("/")) -> StartError:
    launch = Launch(argv=(str(program),), env={"PATH": "/bin"}, cwd=cwd, wire=Wire.STDIO)
    async with open_guard() as guard:
        with pytest.raises(StartError) as caught:
            await guard.spawn(launch)
    return explain_spawn("demo", launch, caught.value)


async def test_a_missing_program(tmp_path: Path) -> None:
    error = await spawn_error(tmp_path / "absent")

    assert "demo cannot start: there is no program" in str(error)
    assert "Install it" in error.hint


async def test_a_program_that_is_not_executable(tmp_path: Path) -> None:
    program = tmp_path / "main.sh"
    program.write_text("#!/bin/sh\n", encoding="utf-8")

    error = await spawn_error(program)

    assert "is not executable (-rw-" in str(error)
    assert error.hint == f"Run `chmod +x {program}`."


async def test_a_script_whose_interpreter_is_missing(tmp_path: Path) -> None:
    program = tmp_path / "main.sh"
    program.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    program.chmod(0o755)

    assert "`#!/no/such/interpreter`" in str(await spawn_error(program))


async def test_a_program_for_another_machine(tmp_path: Path) -> None:
    program = tmp_path / "main"
    other = 183 if platform.machine() != "aarch64" else 62
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + other.to_bytes(2, "little")
    program.write_bytes(header + bytes(44))
    program.chmod(0o755)

    error = await spawn_error(program)

    assert f"built for {'aarch64' if other == 183 else 'x86_64'}" in str(error)
    assert platform.machine() in str(error)


async def test_a_file_that_is_no_program_at_all(tmp_path: Path) -> None:
    program = tmp_path / "main"
    program.write_text("hello", encoding="utf-8")
    program.chmod(0o755)

    error = await spawn_error(program)

    assert "neither a program for this machine nor a script" in str(error)
    assert "#!/bin/sh" in error.hint


async def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    error = await spawn_error(Path("/bin/true"), cwd=tmp_path / "gone")

    assert "cannot be entered" in str(error)


def test_an_unknown_reason_is_passed_on() -> None:
    launch = Launch(argv=("x",), env={}, cwd=Path("/"), wire=Wire.STDIO)
    error = explain_spawn("demo", launch, StartError("cannot run: odd", errno=errno.E2BIG))

    assert str(error) == "demo cannot start: cannot run: odd"


@pytest.mark.parametrize(
    ("exit_", "hint", "permanent"),
    [
        (Exit(status=78), "then start it again, or restart the host", True),
        (Exit(status=127), "missing or not executable", False),
        (Exit(status=0), "plugin.run()", False),
        (Exit(status=1), "Its log is in the details", False),
        (Exit(signal=11), "Its log is in the details", False),
    ],
)
def test_an_exit_before_ready_has_a_hint_of_its_own(
    exit_: Exit, hint: str, permanent: bool
) -> None:
    error = explain_exit("demo", exit_, "line one\nSyntaxError: bad\n\n")

    assert str(error) == f"demo ended before it was ready: {exit_}; it said: SyntaxError: bad"
    assert hint in error.hint
    assert error.facts["permanent"] is permanent
    assert error.facts["log_tail"] == "line one\nSyntaxError: bad\n\n"


def test_a_javascript_stack_is_quoted_by_its_message() -> None:
    tail = "main.mjs failed to load: TypeError: no\n    at file:///x.mjs:1:2\n    at async y\n"

    error = explain_exit("demo", Exit(status=1), tail)

    assert str(error).endswith("it said: main.mjs failed to load: TypeError: no")


def test_silence_says_how_long_and_for_what() -> None:
    error = explain_silence("demo", 10.0, "it to be greeted", "")

    assert str(error) == "demo was not ready after 10 s (waiting for it to be greeted)"
    assert "start_timeout_s" in error.hint
