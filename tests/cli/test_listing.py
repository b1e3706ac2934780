"""`plughost plugins` and `plughost tools`."""

from __future__ import annotations

import re
from typing import Any

import attrs
import pytest
from inline_snapshot import snapshot

from plughost.cli.listing.looking import PLUGIN_KEYS, TOOL_KEYS
from plughost.registry.health import Health

HELLO = ("--plugins", "plugins")
ONLY_HELLO = ("--where", 'name == "hello"')


@pytest.fixture(autouse=True)
def hello(write_plugin: Any) -> None:
    write_plugin()


def test_plugins_are_a_table_that_fits_eighty_columns(plughost: Any) -> None:
    status, out, err = plughost("plugins", *HELLO, *ONLY_HELLO)

    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    table = re.sub("─+", "─", out.partition("guards")[0])
    assert table == snapshot(
        """\
name   version  runtime  state  memory   per call  calls  files
─
hello  1.0.0    python   ready  256 MiB  30 s      32     256
"""
    )


def test_guards_are_named_and_so_is_what_is_missing(plughost: Any) -> None:
    _, out, _ = plughost("plugins", *HELLO)

    words = " ".join(out.split())
    assert "guards around each: own-process, environment-allow-list, rlimit-data" in words
    assert "not active yet: isolation of files and network" in words


def test_names_are_never_cut_however_narrow_the_terminal(plughost: Any) -> None:
    _, out, _ = plughost("plugins", *HELLO, environment={"COLUMNS": "40"})

    assert "data-profile" in out
    assert "…" not in out


def test_json_is_an_array_of_health_records(plughost: Any) -> None:
    records = plughost.json("plugins", *HELLO, "--where", 'name in ["hello", "data-profile"]')

    assert [record["name"] for record in records] == ["data-profile", "hello"]
    assert set(records[0]) == {field.name for field in attrs.fields(Health)} == set(PLUGIN_KEYS)


def test_a_plugin_that_cannot_start_says_why_below_the_table(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin(
        "lonely",
        manifest='name = "lonely"\nversion = "1.0.0"\nruntime = "python"\nentry = "main.py"\n'
        '[dependencies]\nnobody = ">=1"\n',
    )

    _, out, _ = plughost("plugins", *HELLO)

    assert "lonely is unavailable: it needs the plugin nobody >=1, which is not there" in out


def test_tools_show_parameters_and_the_first_sentence(plughost: Any) -> None:
    status, out, err = plughost("tools", "hello", *HELLO, "--where", 'name == "greet"')

    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == snapshot("hello   greet(name, [times])  Greet somebody by name.")


def test_tools_of_lazy_plugins_are_listed_too(plughost: Any, write_plugin: Any) -> None:
    write_plugin(
        "idle",
        manifest='name = "idle"\nversion = "1.0.0"\nruntime = "python"\nentry = "main.py"\n'
        'start = "lazy"\n',
    )

    records = plughost.json("tools", *HELLO)

    assert {"hello", "idle", "data-profile"} <= {record["plugin"] for record in records}
    assert set(records[0]) == set(TOOL_KEYS)


def test_tools_of_an_unknown_plugin_are_an_error(plughost: Any) -> None:
    status, out, err = plughost("tools", "helo", *HELLO)

    assert (status, out) == (69, "")
    assert err.startswith("error[plugin-not-found]: there is no plugin 'helo' (did you mean")


def test_a_filter_that_nothing_fits_says_so(plughost: Any) -> None:
    nothing = ("plugins", "--where", "restart_count > 7")

    assert plughost.inside(*nothing) == (0, "None of 5 plugins fits --where.\n", "")
    assert plughost.inside(*nothing, "--json") == (0, "[]\n", "")


def test_a_filter_that_is_wrong_stops_before_anything_starts(plughost: Any) -> None:
    status, out, err = plughost.inside("plugins", "--where", 'runtime = "node"')

    assert (status, out) == (78, "")
    assert err == snapshot(
        """\
error[config-invalid]: --where, column 9: this is not an expression
  runtime = "node"
          ^
  hint: Compare with ==, not =.
  help: plughost explain config-invalid
"""
    )
