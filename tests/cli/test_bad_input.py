"""What people get wrong: each is an error that says what, where, and what to do next."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inline_snapshot import snapshot

HELLO = ("--plugins", "plugins")


def fails(done: tuple[int, str, str], status: int, error_type: str) -> str:
    """Return stderr, after checking that it is an error in the one look."""
    got, out, err = done
    assert (got, out) == (status, ""), err
    lines = err.splitlines()
    assert lines[0].startswith(f"error[{error_type}]: "), err
    assert lines[-2].startswith("  hint: "), err
    assert lines[-1].startswith("  help: plughost "), err
    assert "Traceback" not in err
    return err


def test_a_manifest_with_many_problems_names_them_all_with_line_and_path(
    plughost: Any, write_plugin: Any
) -> None:
    path = write_plugin(
        "weather",
        manifest='name = "weather"\nversion = "1"\nruntime = 3\nentry = "main.py"\n'
        "\n[resource_limits]\nmemory_mb = 0\nmemroy_mb = 3\n",
    )

    err = fails(plughost("call", "weather", "forecast", *HELLO), 65, "manifest-invalid")

    assert err.replace(str(path), "PLUGIN") == snapshot(
        """\
error[manifest-invalid]: PLUGIN/plugin.toml is not a valid manifest:
  line 2, $.version: must be a SemVer version of three numbers, like 1.2.3 or 1.2.3-rc.1
  line 3, $.runtime: 3 is not one of 'python', 'node', 'lua', 'wasm', 'exec', 'mcp'
  line 7, $.resource_limits.memory_mb: must be at least 16, not 0
  line 8, $.resource_limits.memroy_mb: is not a known key; did you mean 'memory_mb'?
  hint: Correct PLUGIN/plugin.toml; each line above names the place.
  help: plughost explain manifest-invalid
"""
    )


def test_a_broken_manifest_under_json_carries_the_same_problems(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin("weather", manifest='name = "weather"\nruntime = "python"\nentry = "main.py"\n')

    result = plughost.json("call", "weather", "forecast", *HELLO, status=65)

    assert result["error"]["type"] == "manifest-invalid"
    [problem] = result["error"]["details"]["problems"]
    assert problem["path"] == "$"
    assert "'version' is missing" in problem["message"]


def test_an_entry_that_leaves_the_folder_is_refused(plughost: Any, write_plugin: Any) -> None:
    write_plugin(
        "outside",
        manifest='name = "outside"\nversion = "1.0.0"\nruntime = "python"\nentry = "../x.py"\n',
    )

    err = fails(plughost("call", "outside", "any", *HELLO), 65, "manifest-invalid")

    assert "line 4, $.entry: " in err


def test_a_broken_manifest_stops_nothing_else(plughost: Any, write_plugin: Any) -> None:
    write_plugin()
    write_plugin("broken", manifest="name = \n")

    status, out, err = plughost("plugins", *HELLO)

    assert status == 0
    assert "hello" in out
    assert "plugin.toml:1:8: not TOML" in err
    assert plughost("call", "hello", "greet", "name=x", *HELLO)[1] == '"Hello, x!"\n'


def test_a_name_used_twice_names_both_files(plughost: Any, write_plugin: Any) -> None:
    first = write_plugin("a")
    second = write_plugin("b", manifest=(first / "plugin.toml").read_text(encoding="utf-8"))

    status, out, err = plughost("plugins", *HELLO)

    assert (status, out.count("\na ")) == (0, 1)
    assert err.splitlines()[0] == (
        f"error[manifest-invalid]: the name 'a' is used twice: by {first / 'plugin.toml'} "
        f"and by {second / 'plugin.toml'}; the first one is used"
    )


def test_a_missing_plugin_names_the_nearest(plughost: Any, write_plugin: Any) -> None:
    write_plugin()

    err = fails(plughost("call", "helo", "greet", *HELLO), 69, "plugin-not-found")

    assert "there is no plugin 'helo' (did you mean 'hello'?)" in err


def test_a_missing_tool_names_the_nearest_and_all(plughost: Any, write_plugin: Any) -> None:
    write_plugin()

    err = fails(plughost("call", "hello", "gret", "name=x", *HELLO), 69, "tool-not-found")

    assert "hello has no tool 'gret' (did you mean 'greet'?)" in err


def test_a_folder_that_is_not_there_names_the_nearest(plughost: Any, write_plugin: Any) -> None:
    write_plugin()

    err = fails(plughost("plugins", "--plugins", "plugin"), 78, "config-invalid")

    assert "there is no folder" in err
    assert "did you mean 'plugins'?" in err


def test_a_file_in_place_of_a_folder_is_refused(plughost: Any) -> None:
    (plughost.folder / "file").touch()

    err = fails(plughost("plugins", "--plugins", "file"), 78, "config-invalid")

    assert "this is not a folder" in err


def test_wrong_arguments_are_listed_with_their_paths(plughost: Any, write_plugin: Any) -> None:
    write_plugin()

    done = plughost("call", "hello", "greet", "times=many", "nmae=x", *HELLO)

    assert fails(done, 65, "invalid-arguments") == snapshot(
        """\
error[invalid-arguments]: the arguments of hello.greet do not fit its schema
  $.times: must be a whole number, not 'many'
  $.nmae: is not a known key; did you mean 'name'?
  $: 'name' is missing
  hint: See it with `plughost tools --json --where 'tool == "greet"'`.
  help: plughost explain invalid-arguments
"""
    )


def test_the_command_in_that_hint_works(plughost: Any, write_plugin: Any) -> None:
    write_plugin()

    [tool] = plughost.json("tools", "--where", 'tool == "greet"', *HELLO)

    assert tool["input_schema"]["required"] == ["name"]


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (("name",), "'name' is not of the form key=value"),
        (("=x",), "'=x' is not of the form key=value"),
        (("name=a", "name=b"), "the argument 'name' is given twice"),
        (("--args", '{"name": "a"}', "name=b"), "the argument 'name' is given twice"),
        (("items=a,b",), "items=a,b: an array is written as JSON"),
        (("--args", "[1]"), "--args: the arguments are a JSON array, not an object"),
        (("--args", '{"name": }'), "--args: line 1, column 10: not JSON: "),
        (("--args", '{"number": NaN}'), "the arguments are not JSON: $.number is not a finite"),
        (("--args", '{"number": 1e999}'), "the arguments are not JSON: $.number is not a finite"),
        (("--args", '{"number": 99999999999999999999}'), "the arguments are not JSON: "),
        (("--args", '{"name": "\\ud800"}'), "the arguments are not JSON: "),
        (("--args", '{"value":' * 100 + "{}" + "}" * 100), "the arguments are nested deeper than"),
        (("--args", '{"value":' + "[" * 100_000), "--args: the arguments nest too deep to read"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_arguments_that_no_tool_could_take(
    plughost: Any, write_plugin: Any, arguments: tuple[str, ...], fact: str
) -> None:
    write_plugin()

    done = plughost.inside("call", "hello", "echo", *arguments, *HELLO)

    err = fails(done, 65, "invalid-arguments")
    assert err.startswith(f"error[invalid-arguments]: {fact}")


def test_a_number_of_a_pair_that_is_not_a_number_is_refused(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin()

    err = fails(plughost("call", "hello", "echo", "number=NaN", *HELLO), 65, "invalid-arguments")

    assert "$.number is not a finite number" in err or "must be a number, not 'NaN'" in err


def test_bytes_that_are_not_utf8_are_refused_with_their_place(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin()

    done = plughost.run("call", "hello", "greet", b"name=caf\xe9", *HELLO)
    assert done.returncode == 65
    assert done.stderr.startswith(b"error[invalid-arguments]: name: byte 8 (0xe9) is not UTF-8\n")

    done = plughost.run("call", "hello", "greet", "--args", "-", *HELLO, stdin=b'{"name": "\xff"}')
    assert done.returncode == 65
    assert done.stderr.startswith(b"error[invalid-arguments]: stdin: byte 10 (0xff) is not UTF-8\n")


def test_a_name_that_is_not_utf8_is_shown_and_does_not_break_json(plughost: Any) -> None:
    done = plughost.run("call", b"\xff", "greet", "--json")

    assert done.returncode == 69
    assert json.loads(done.stdout)["error"]["type"] == "plugin-not-found"


def test_a_hundred_megabytes_are_refused_before_they_are_held(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin()
    huge = b'{"name": "' + b"x" * 100_000_000 + b'"}'

    done = plughost.run("call", "hello", "greet", "--args", "-", *HELLO, stdin=huge)

    assert done.returncode == 65
    assert done.stderr.startswith(
        b"error[invalid-arguments]: stdin: the arguments are longer than 64 MiB"
    )


def test_more_than_one_message_can_carry_is_refused_by_the_plugins_limit(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin()
    large = b'{"name": "' + b"x" * 6_000_000 + b'"}'

    done = plughost.run("call", "hello", "greet", "--args", "-", *HELLO, stdin=large)

    assert done.returncode == 65
    first = done.stderr.decode().splitlines()[0]
    assert first.startswith(("error[invalid-arguments]: ", "error[output-limit]: "))
    assert "4194304" in first or "4 MiB" in first


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "inf", "86401"])
def test_a_timeout_that_is_no_time_is_refused(plughost: Any, timeout: str) -> None:
    err = fails(plughost.inside("call", "hello", "greet", "--timeout", timeout), 64, "usage")

    assert "seconds" in err


def test_a_plugin_that_does_not_start_shows_the_end_of_its_log(
    plughost: Any, write_plugin: Any
) -> None:
    path = write_plugin("broken", main="import plughost_sdk\nplugin = plughost_sdk.Plugin(\n")

    err = fails(plughost("call", "broken", "any", "a=b", *HELLO), 69, "plugin-start-failed")

    assert f"{path / 'main.py'}:2: '(' was never closed" in err
