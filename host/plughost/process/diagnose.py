"""Why a plugin did not start: the fact, and what to do about it.

Pure but for looking at the program's file; called once for each failed start.
"""

from __future__ import annotations

import errno
import os
import platform
import shutil
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from plughost.errors import StartError
from plughost.process.guard import Exit
from plughost.process.launch import Launch

__all__ = ["PERMANENT_STATUS", "explain_exit", "explain_silence", "explain_spawn"]

# sysexits.h EX_CONFIG: runtimes/README.md has runners exit so when only a
# change of files can help.
PERMANENT_STATUS: Final = 78

# The shell's statuses, when `command` runs one.
_NOT_EXECUTABLE: Final = 126
_NOT_FOUND: Final = 127

# e_machine of elf(5).
_ELF_MACHINES: Final[Mapping[int, str]] = {
    3: "i386",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
}


def explain_spawn(name: str, launch: Launch, error: StartError) -> StartError:
    """Return *error*, which came from the guard, in words for plugin *name*."""
    program = launch.argv[0]
    path = Path(shutil.which(program, path=launch.env.get("PATH")) or program)
    code = error.facts.get("errno")
    if error.facts.get("step") == "cwd":
        message, hint = f"its folder {launch.cwd} cannot be entered", "Check that it exists."
    elif code == errno.ENOENT and path.exists():
        message = f"{path} starts with `{_shebang(path)}`, and that interpreter does not exist"
        hint = "Install it, or correct the first line."
    elif code == errno.ENOENT:
        message, hint = f"there is no program {program!r}", "Install it, or correct `command`."
    elif code == errno.EACCES:
        mode = stat.filemode(path.stat().st_mode) if path.exists() else "unknown mode"
        message, hint = f"{path} is not executable ({mode})", f"Run `chmod +x {path}`."
    elif code == errno.ENOEXEC:
        message, hint = _explain_format(path)
    else:
        message, hint = str(error), error.hint
    return StartError(f"{name} cannot start: {message}", hint=hint, **error.facts)


def explain_exit(name: str, exit_: Exit, log_tail: str) -> StartError:
    """Return the error for a plugin that ended before it was ready."""
    hint = "Its log is in the details; run its entry file by hand to see more."
    if exit_.status == PERMANENT_STATUS:
        hint = "Correct what its log says, then start it again, or restart the host."
    elif exit_.status in (_NOT_EXECUTABLE, _NOT_FOUND):
        hint = "A program that its command starts is missing or not executable."
    elif exit_.status == 0:
        hint = "A plugin must serve until its input ends: does it call `plugin.run()`?"
    said = _last_line(log_tail)
    return StartError(
        f"{name} ended before it was ready: {exit_}" + (f"; it said: {said}" if said else ""),
        hint=hint,
        exit=str(exit_),
        status=exit_.status,
        signal=exit_.signal,
        log_tail=log_tail,
        permanent=exit_.status == PERMANENT_STATUS,
    )


def explain_silence(name: str, waited_s: float, doing: str, log_tail: str) -> StartError:
    """Return the error for a plugin that runs but did not become ready in time."""
    said = _last_line(log_tail)
    return StartError(
        f"{name} was not ready after {waited_s:g} s (waiting for {doing})"
        + (f"; it said: {said}" if said else ""),
        hint="Raise `resource_limits.start_timeout_s`, or call `extend_start` while starting.",
        log_tail=log_tail,
    )


def _explain_format(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(20)
    if head[:4] == b"\x7fELF":
        (machine,) = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])
        built_for = _ELF_MACHINES.get(machine, f"machine {machine}")
        return (
            f"{path} is built for {built_for}, this machine is {platform.machine()}",
            "Build it for this machine.",
        )
    return (
        f"{path} is neither a program for this machine nor a script with a `#!` line",
        "Add a first line such as `#!/bin/sh`, or name the interpreter in `command`.",
    )


def _shebang(path: Path) -> str:
    with path.open("rb") as file:
        return os.fsdecode(file.readline(256).strip())


def _last_line(log_tail: str) -> str:
    lines = [line.strip() for line in log_tail.splitlines() if line.strip()]
    # A JavaScript stack follows its message; a Python traceback ends with it.
    telling = [line for line in lines if not line.startswith(("at ", "node:", "Node.js v"))]
    return (telling or lines or [""])[-1]
