"""Guests that misbehave: every one is a tool error, and the next call is served."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# What a plugin with `memory_mb = 128` may map.
LIMIT_BYTES = 128 * 1024 * 1024

SPIN = "(loop (br 0)) (i32.const 0)"
RECURSE = "(call $down (i32.const 0)) (i32.const 0)"


def misbehaving(wat: Any, listed: Callable[..., Any], body: str, extra: str = "") -> Any:
    """Return a module whose call does *body* for the tool `bad`, and answers for `good`.

    The tools' names differ in their first letter, the tenth byte of the request.
    """
    module = wat().answering("describe", {"tools": [listed("bad"), listed("good")]})
    module.parts.append(extra)
    good = module.text({"data": "good"})
    is_good = "(i32.eq (call $input (i64.const 9)) (i32.const 103))"
    return module.export(
        "handle_tool_call",
        f"(if (result i32) {is_good} (then (call $answer {good})) (else {body}))",
    )


ENDS = [
    ("unreachable", "", "Unreachable"),
    ("(i32.load (i32.const 99999999))", "", "MemoryOutOfBounds"),
    ("(i32.div_u (i32.const 1) (i32.const 0))", "", "DivideByZero"),
    ("(i32.trunc_f32_s (f32.const nan))", "", "BadConversion"),
    ("(i32.div_s (i32.const 0x80000000) (i32.const -1))", "", "IntegerOverflow"),
    (
        RECURSE,
        "(func $down (param i32) (call $down (i32.add (local.get 0) (i32.const 1))))",
        "StackOverflow",
    ),
    (
        "(call_indirect (type $none) (i32.const 0)) (i32.const 0)",
        "(type $none (func)) (table 1 funcref)",
        "UninitializedElement",
    ),
    (
        "(call_indirect (type $none) (i32.const 9)) (i32.const 0)",
        "(type $none (func)) (table 1 funcref)",
        "TableOutOfBounds",
    ),
    (
        "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (i32.const 0)",
        "",
        "MemoryLimit",
    ),
    ("(drop (call $alloc (i64.const 0x40000000))) (i32.const 0)", "", "MemoryLimit"),
    (
        "(drop (table.grow $t (ref.null func) (i32.const 100000000))) unreachable",
        "(table $t 1 funcref)",
        None,
    ),
]


@pytest.mark.parametrize(("body", "extra", "exception"), ENDS)
def test_a_guest_that_fails_is_a_tool_error_and_the_next_call_is_served(
    spawn: Callable[..., Any],
    wat: Any,
    listed: Callable[..., Any],
    body: str,
    extra: str,
    exception: str | None,
) -> None:
    child = spawn(misbehaving(wat, listed, body, extra), memory_bytes=LIMIT_BYTES)
    child.start()
    error = child.error("bad")
    assert error["type"] == "tool-error"
    # A table that may not grow is -1 or the end, as wasmtime finds memory for it or not.
    assert error["details"]["exception"] in ([exception] if exception else ENDINGS_OF_A_TABLE)
    assert child.data("good") == "good"


ENDINGS_OF_A_TABLE = ["MemoryLimit", "Unreachable"]


def test_a_failure_names_the_functions_it_happened_in(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    extra = "(func $deep unreachable) (func $outer (call $deep))"
    child = spawn(misbehaving(wat, listed, "(call $outer) (i32.const 0)", extra))
    child.start()
    where = child.error("bad")["details"]["where"]
    assert [line.rpartition("!")[2] for line in where[:2]] == ["deep", "outer"]


def test_recursion_ends_the_same_way_in_a_worker_thread(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    # Native stacks of workers are smaller than the main thread's; the guest's limit must come
    # first.  A call that waits for the host keeps the main thread busy.
    down = "(func $down (param i32) (call $down (i32.add (local.get 0) (i32.const 1))))"
    module = misbehaving(wat, listed, RECURSE, down)
    module.host("plughost_emit")
    waiting = module.text({"name": "waiting"})
    module.parts[-1] = module.parts[-1].replace(
        "(then (call $answer",
        f"(then (drop (call $plughost_emit (call $block {waiting}))) (call $answer",
    )
    child = spawn(module)
    child.start()
    first = child.send("tools/call", child.request("good"))
    child.wait_for(lambda: len(child.asked) == 1)
    assert child.error("bad")["details"]["exception"] == "StackOverflow"
    child.reply(child.asked[0], {})
    assert child.wait(first)["result"]["structuredContent"] == {"result": "good"}


def test_a_call_that_spins_ends_at_its_deadline(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(misbehaving(wat, listed, SPIN))
    child.start()
    error = child.error("bad", deadline_ms=200)
    assert error["details"]["exception"] == "DeadlineExceeded"
    assert "did not end within 0.2 s" in error["message"]
    assert child.data("good") == "good"


def test_a_cancelled_call_is_interrupted_and_answered(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(misbehaving(wat, listed, SPIN))
    child.start()
    number = child.send("tools/call", child.request("bad"))
    child.ask("ping")
    child.notify("notifications/cancelled", {"requestId": number})
    assert child.wait(number)["error"]["code"] == -32800
    assert child.data("good") == "good"


def test_ending_one_call_leaves_the_calls_beside_it_alone(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    """Extism interrupts by engine; two calls in one engine would end together."""
    child = spawn(misbehaving(wat, listed, SPIN))
    child.start()
    first = child.send("tools/call", child.request("bad", call_id="a"))
    second = child.send("tools/call", child.request("bad", call_id="b", deadline_ms=900))
    child.ask("ping")
    child.notify("notifications/cancelled", {"requestId": first})
    assert child.wait(first)["error"]["code"] == -32800
    assert child.data("good") == "good"
    ended = child.wait(second)["result"]["_meta"]["plughost/error"]
    assert ended["details"]["exception"] == "DeadlineExceeded"


def test_many_cancelled_calls_leave_nothing_behind(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(misbehaving(wat, listed, SPIN))
    child.start()
    for _ in range(20):
        number = child.send("tools/call", child.request("bad"))
        child.notify("notifications/cancelled", {"requestId": number})
        assert child.wait(number)["error"]["code"] == -32800
        assert child.data("good") == "good"


def test_a_start_function_that_spins_later_ends_the_process(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    # The only thing that changes for a start function is the clock.
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.answering("handle_tool_call", {"data": 1})
    module.imports.append(
        '(import "wasi_snapshot_preview1" "clock_time_get"'
        " (func $clock (param i32 i64 i32) (result i32)))"
    )
    later_ns = time.time_ns() + 4_000_000_000
    module.parts.append(
        f"""(export "memory" (memory 0))
        (func $start (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 0)))
          (if (i64.gt_u (i64.load (i32.const 0)) (i64.const {later_ns}))
            (then (loop (br 0)))))
        (start $start)"""
    )
    child = spawn(module)
    child.start()
    assert child.data("t") == 1
    while time.time_ns() <= later_ns:
        child.ask("ping")
    child.send("tools/call", child.request("t", deadline_ms=100))
    status, log = child.ended()
    assert status == 1
    assert "tool 't' runs on after it was interrupted, so the process ends" in log


def test_a_memory_too_large_to_begin_with_is_refused(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    source = misbehaving(wat, listed, SPIN).source().replace("(memory 2)", "(memory 30000)")
    status, log = spawn(source, memory_bytes=LIMIT_BYTES).ended()
    assert status == 78
    assert log == "main.wat: it asks for more memory than `resource_limits.memory_mb` leaves it\n"


def test_a_limit_too_small_for_the_runner_says_what_to_raise(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(misbehaving(wat, listed, SPIN), memory_bytes=14 * 1024 * 1024)
    status, log = child.ended()
    assert status == 78
    assert "resource_limits.memory_mb" in log


def test_wasi_shows_no_file_no_environment_and_no_output(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.parts.append('(export "memory" (memory 0))')  # WASI reads and writes it
    for name, parameters in (
        ("environ_sizes_get", "i32 i32"),
        ("args_sizes_get", "i32 i32"),
        ("fd_prestat_get", "i32 i32"),
        ("fd_write", "i32 i32 i32 i32"),
    ):
        module.imports.append(
            f'(import "wasi_snapshot_preview1" "{name}"'
            f" (func ${name} (param {parameters}) (result i32)))"
        )
    # Answers the count of environment variables and arguments, and whether descriptor 3, where a
    # directory would be, is bad (8 is EBADF).
    answer = module.text(b'{"data":[e,a,p]}')
    at = int(answer.split()[1].rstrip(")"))
    text = module.text(b"leaked")
    module.export(
        "handle_tool_call",
        f"""(drop (call $environ_sizes_get (i32.const 0) (i32.const 4)))
        (drop (call $args_sizes_get (i32.const 8) (i32.const 12)))
        (i32.store8 (i32.const {at + 9}) (i32.add (i32.const 48) (i32.load (i32.const 0))))
        (i32.store8 (i32.const {at + 11}) (i32.add (i32.const 48) (i32.load (i32.const 8))))
        (i32.store8 (i32.const {at + 13}) (i32.add (i32.const 48)
          (call $fd_prestat_get (i32.const 3) (i32.const 16))))
        (i32.store (i32.const 32) {text.split(" (")[0]})
        (i32.store (i32.const 36) (i32.const 6))
        (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40)))
        (drop (call $fd_write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 40)))
        (call $answer {answer})""",
    )
    child = spawn(module)
    child.start()
    assert child.data("t") == [0, 0, 8]
    child.hang_up()
    assert child.ended() == (0, "")
