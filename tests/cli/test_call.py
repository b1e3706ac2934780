"""`plughost call`: what it prints and how it exits."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import pytest
from inline_snapshot import snapshot

HELLO = ("--plugins", "plugins")


@pytest.fixture(autouse=True)
def hello(write_plugin: Any) -> None:
    write_plugin()


def test_a_result_is_json_on_stdout_and_nothing_else_is_printed(plughost: Any) -> None:
    assert plughost("call", "hello", "greet", "name=Ada", *HELLO) == (0, '"Hello, Ada!"\n', "")


def test_letters_of_every_script_are_printed_as_they_are(plughost: Any) -> None:
    status, out, _ = plughost("call", "hello", "greet", "name=Ærøskøbing 東京 🎉", *HELLO)

    assert (status, out) == (0, '"Hello, Ærøskøbing 東京 🎉!"\n')


def test_the_locale_has_no_say_in_how_json_is_written(plughost: Any) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

    done = plughost.run("call", "hello", "greet", "--args", "-", *HELLO,
                        stdin='{"name": "é"}'.encode(), environment=ascii_only)  # fmt: skip

    assert (done.returncode, done.stdout.decode("utf-8")) == (0, '"Hello, é!"\n')


@pytest.mark.parametrize(
    ("pair", "key", "value"),
    [
        ('value={"a": [1, null]}', "value", {"a": [1, None]}),
        ('items=["x", 2]', "items", ["x", 2]),
        ("flag=true", "flag", True),
        ("number=-2.5", "number", -2.5),
        ("number=3", "number", 3),
    ],
)
def test_a_pair_is_typed_by_the_tools_schema(
    plughost: Any, pair: str, key: str, value: object
) -> None:
    status, out, err = plughost.inside("call", "hello", "echo", pair, *HELLO)

    assert status == 0, err
    assert json.loads(out)[key] == value


def test_text_stays_text_even_if_it_looks_like_json(plughost: Any) -> None:
    _, out, _ = plughost("call", "hello", "greet", "name=42", *HELLO)

    assert out == '"Hello, 42!"\n'


def test_pairs_and_json_arguments_add_up(plughost: Any) -> None:
    _, out, _ = plughost("call", "hello", "greet", "--args", '{"times": 2}', "name=Ada", *HELLO)

    assert out == '"Hello, Ada! Hello, Ada!"\n'


def test_arguments_come_from_stdin_with_a_dash(plughost: Any) -> None:
    done = plughost.run("call", "hello", "greet", "--args", "-", *HELLO, stdin=b'{"name":"Bo"}')

    assert done.stdout == b'"Hello, Bo!"\n'


def test_json_prints_the_whole_result(plughost: Any) -> None:
    result = plughost.json("call", "hello", "greet", "name=Ada", *HELLO)

    assert result.pop("duration_s") > 0
    assert result == snapshot(
        {
            "ok": True,
            "data": "Hello, Ada!",
            "content": [{"type": "text", "text": "Hello, Ada!"}],
            "error": None,
            "call_id": "c1",
            "plugin": "hello",
            "tool": "greet",
        }
    )


def test_a_failed_call_prints_fact_details_hint_and_help(plughost: Any) -> None:
    status, out, err = plughost("call", "hello", "crash", *HELLO)

    assert (status, out) == (69, "")
    assert err == snapshot(
        """\
error[plugin-crashed]: hello ended while the call was open: exit status 3
  | last words
  hint: Read the log's last lines in the details; the plugin restarts by itself.
  help: plughost explain plugin-crashed
"""
    )


def test_a_failed_call_is_a_result_too_under_json(plughost: Any) -> None:
    result = plughost.json("call", "hello", "crash", *HELLO, status=69)

    assert result["ok"] is False
    assert result["error"]["type"] == "plugin-crashed"
    assert result["error"]["details"]["log_tail"] == "last words"


def test_a_timeout_names_the_seconds_that_were_asked_for(plughost: Any) -> None:
    # The pair makes the command start the plugin first, out of the same 2 s.
    status, _, err = plughost("call", "hello", "hang", "name=x", "--timeout", "2", *HELLO)

    assert (status, err.partition("\n")[0]) == (75, "error[call-timeout]: no answer within 2 s")


def test_a_tools_own_failure_names_its_exception_and_cannot_steer_the_terminal(
    plughost: Any,
) -> None:
    status, _, err = plughost("call", "hello", "fail", *HELLO)

    assert status == 1
    assert err == snapshot(
        """\
error[tool-error]: no \\x1b[31mred\\x1b[0m today
  exception: ValueError
  hint: The message is the tool's; its traceback is in the plugin's log.
  help: plughost explain tool-error
"""
    )


def test_a_granted_path_may_be_relative_to_the_callers_folder(plughost: Any) -> None:
    (plughost.folder / "data").mkdir()
    (plughost.folder / "data" / "note.txt").write_text("mine", encoding="utf-8")

    for grant in ("data", "data/", "data/note.txt"):
        status, out, err = plughost.inside(
            "call", "hello", "read", "path=data/note.txt", "--grant", f"fs_read={grant}", *HELLO
        )
        assert (status, out) == (0, '"mine"\n'), err


def test_a_path_that_is_not_granted_is_left_as_it_was_typed(plughost: Any) -> None:
    (plughost.folder / "note.txt").write_text("mine", encoding="utf-8")

    status, _, err = plughost("call", "hello", "read", "path=note.txt", *HELLO)

    assert status == 1
    assert "No such file or directory: 'note.txt'" in err


@pytest.mark.parametrize(
    ("grant", "fact"),
    [
        ("fs_read=none.csv", "there is no file or folder"),
        ("fs_write=none/out.csv", "there is no folder"),
        ("fs_raed=x", "there is no permission 'fs_raed'; did you mean 'fs_read'?"),
        ("fs_read", "no path is named"),
        ("subprocess", "subprocess cannot be granted for one call"),
    ],
)
def test_a_grant_that_cannot_be_given_is_refused_not_ignored(
    plughost: Any, grant: str, fact: str
) -> None:
    status, _, err = plughost.inside("call", "hello", "greet", "name=x", "--grant", grant, *HELLO)

    assert status == 78
    assert err.startswith(f"error[config-invalid]: --grant {grant}: {fact}")


def on_terminal(plughost: Any, *arguments: str) -> tuple[str, str]:
    """Return what `plughost` writes to a terminal's stdout, and to another's stderr."""
    (out, out_end), (err, err_end) = pty.openpty(), pty.openpty()
    with plughost.start(
        *arguments, stdin=subprocess.DEVNULL, stdout=out_end, stderr=err_end
    ) as process:
        os.close(out_end)
        os.close(err_end)
        texts = [read_terminal(out), read_terminal(err)]
        process.wait(60)
    return texts[0], texts[1]


def read_terminal(descriptor: int) -> str:
    found = b""
    while True:
        try:
            data = os.read(descriptor, 4096)
        except OSError:  # EIO: the last writer has closed
            break
        if not data:
            break
        found += data
    os.close(descriptor)
    return found.decode().replace("\r\n", "\n")


def test_a_terminal_gets_indented_json(plughost: Any) -> None:
    out, err = on_terminal(plughost, "call", "hello", "echo", *HELLO)

    assert out == snapshot(
        """\
{
  "value": null,
  "items": null,
  "flag": false,
  "number": 0.0
}
"""
    )
    assert err == ""


def test_progress_is_shown_on_a_terminal_and_wiped(plughost: Any) -> None:
    out, err = on_terminal(plughost, "call", "hello", "work", *HELLO)

    assert out == '"done"\n'
    assert err == "\r\x1b[K 50 % half\\x1b[2J way\r\x1b[K"


def test_progress_is_not_shown_elsewhere(plughost: Any) -> None:
    assert plughost("call", "hello", "work", *HELLO) == (0, '"done"\n', "")


def test_an_error_is_red_on_a_terminal_unless_colour_is_refused(
    plughost: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, coloured = on_terminal(plughost, "call", "hello", "crash", *HELLO)
    monkeypatch.setenv("NO_COLOR", "1")
    _, plain = on_terminal(plughost, "call", "hello", "crash", *HELLO)

    assert coloured.startswith("\x1b[1;31merror[plugin-crashed]\x1b[0m: hello ended")
    assert plain.startswith("error[plugin-crashed]: hello ended")


def test_verbose_logs_what_happens_to_the_plugin(plughost: Any) -> None:
    status, out, err = plughost("call", "hello", "greet", "name=x", "-v", *HELLO)

    assert (status, out) == (0, '"Hello, x!"\n')
    assert "info plugin.ready plugin=hello" in err
