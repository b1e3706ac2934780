"""`plughost doctor`: what this machine has, what it lacks, and what to do about it."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any, Final, Literal

import attrs
import click

from plughost.cli.options import host_options, json_option

__all__ = ["doctor"]

_EX_UNAVAILABLE: Final = 69  # sysexits.h

_MARKS: Final = {"ok": "ok", "info": "--", "missing": "!!", "broken": "XX"}


@attrs.frozen
class _Check:
    """One fact about this machine.

    Attributes:
        status: ``missing`` keeps some plugins from running, ``broken`` is a
            fault, ``info`` is neither good nor bad.
    """

    name: str
    status: Literal["ok", "info", "missing", "broken"]
    fact: str
    hint: str = ""


@click.command
@host_options
@json_option
def doctor(*, directories: tuple[Path, ...], as_json: bool) -> int:
    """Check interpreters, limits, folders and every plugin.

    Says what is missing and what to do about it.  Exits 69 if a plugin that
    could run does not.
    """
    from plughost.cli.listing.looking import look_at_plugins
    from plughost.cli.machine import find_node
    from plughost.cli.output import print_json

    # Before the host: the first node after boot takes seconds to load.
    node = find_node(os.environ)
    records, problems = look_at_plugins(directories)
    checks = [
        *_interpreters(),
        _node_check(node),
        *_guards(),
        *_folders(directories),
        *(_plugin_check(record, node_problem=node.problem) for record in records),
        *(_Check("plugin folder", "broken", str(each), each.hint) for each in problems),
        _guards_check(records),
    ]
    if as_json:
        print_json(
            {
                "ok": not any(each.status == "broken" for each in checks),
                "checks": [attrs.asdict(each) for each in checks],
                "plugins": records,
            }
        )
    else:
        _show(checks)
    return _EX_UNAVAILABLE if any(each.status == "broken" for each in checks) else 0


def _interpreters() -> list[_Check]:
    from plughost.cli.machine import package_version, program

    own = package_version("plughost") or "not installed, run from its source"
    checks = [
        _Check("plughost", "ok", own),
        _Check("python", "ok", f"{platform.python_version()}, {sys.executable}"),
    ]
    for package, runtime in (("lupa", "Lua"), ("extism", "WASM")):
        found = package_version(package)
        if found is None:
            hint = f"Install it: {sys.executable} -m pip install {package}."
            checks.append(_Check(package, "missing", f"{runtime} plugins cannot run", hint))
        else:
            checks.append(_Check(package, "ok", f"{found}, for {runtime} plugins"))
    bwrap = program("bwrap")
    checks.append(_Check("bubblewrap", "info", bwrap or "not installed; nothing needs it yet"))
    return checks


def _node_check(node: Any) -> _Check:
    if node.problem:
        return _Check("node", "missing", node.problem, node.hint)
    return _Check("node", "ok", f"{node.version}, {node.path}, for Node plugins")


def _guards() -> list[_Check]:
    """Return what this machine lets us limit, and what limits us."""
    from plughost.cli.machine import cgroup_memory_limit, limit_of

    processors = len(os.sched_getaffinity(0))
    files = limit_of(resource.RLIMIT_NOFILE)
    return [
        _Check("system", "info", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        _Check("processors", "info", str(processors)),
        _Check("memory of a plugin", "ok", "limited by RLIMIT_DATA, for each process"),
        _Check("open files", "ok", f"limited by RLIMIT_NOFILE; the host's own limit is {files}"),
        _Check("control groups", "info", cgroup_memory_limit()),
    ]


def _folders(directories: tuple[Path, ...]) -> list[_Check]:
    from importlib.metadata import entry_points

    from plughost.registry.discover import ENTRY_POINT_GROUP
    from plughost.resources import share_dir

    own = Path.home() / ".plughost" / "plugins"
    installed = sorted(each.name for each in entry_points(group=ENTRY_POINT_GROUP))
    return [
        _Check("contracts, runtimes", "ok", str(share_dir())),
        *(_Check("plugins", "ok", f"{each}, from --plugins") for each in directories),
        _Check("plugins", "info", f"{own}{'' if own.is_dir() else ', which does not exist'}"),
        _Check("plugins", "info", f"installed packages: {', '.join(installed) or 'none'}"),
        _Check("plugins", "ok", f"{share_dir() / 'plugins'}, first-party"),
    ]


def _plugin_check(record: dict[str, Any], *, node_problem: str) -> _Check:
    name = f"plugin {record['name']}"
    if record["state"] == "ready":
        return _Check(name, "ok", f"ready ({record['runtime']})")
    if record["state"] == "discovered":
        return _Check(name, "ok", f"starts at its first call ({record['runtime']})")
    fact = f"{record['state']}: {record['reason']}"
    if record["runtime"] == "node" and node_problem:
        return _Check(name, "missing", fact)
    return _Check(name, "broken", fact, "Call one of its tools: the error has its log.")


def _guards_check(records: list[dict[str, Any]]) -> _Check:
    from plughost.cli.listing.tables import guards_of

    return _Check("guards", "info", guards_of(records), "Run plugins whose files you have read.")


def _show(checks: list[_Check]) -> None:
    import textwrap

    from plughost.cli.output import columns, print_text

    width = max(len(each.name) for each in checks)
    for each in checks:
        begin = f"{_MARKS[each.status]}  {each.name:{width}}  "
        for index, text in enumerate(filter(None, (each.fact, each.hint))):
            first = begin if index == 0 else " " * len(begin)
            print_text(
                textwrap.fill(
                    " ".join(text.split()),
                    width=max(columns(), len(begin) + 20),
                    initial_indent=first,
                    subsequent_indent=" " * len(begin),
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
    counts = {status: sum(each.status == status for each in checks) for status in _MARKS}
    print_text(f"\n{counts['ok']} ok, {counts['missing']} missing, {counts['broken']} broken")
