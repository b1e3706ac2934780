"""What each message of the host means, and what it is answered."""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from plughost_sdk._session.answers import (
    CANCELLED,
    INTERNAL,
    INVALID_PARAMS,
    INVALID_REQUEST,
    STARVED_ERROR,
    STARVED_RESULT,
    UNKNOWN_METHOD,
    error_member,
    result_member,
    stamped,
    too_long,
)
from plughost_sdk._session.calls import Call, refused
from plughost_sdk._session.handshake import (
    LIST_STAMP,
    LOG_LEVEL_KEY,
    STAMP,
    VERSION_KEY,
    Refusal,
    discovered,
    greeted,
    is_stateless,
    refuse_stateless,
)
from plughost_sdk._session.hostlink import HostLink
from plughost_sdk._session.lifetime import Lifetime
from plughost_sdk._session.requests import HOST_REQUESTS, Events
from plughost_sdk._threads.crew import Crew
from plughost_sdk._threads.lastresort import report
from plughost_sdk.context import LEVELS
from plughost_sdk.jsontext import dumps, parse
from plughost_sdk.wire import head_of

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

    from plughost_sdk._threads.coroutines import Coroutines
    from plughost_sdk.plugin import Plugin
    from plughost_sdk.wire import Wire

__all__ = ["Session"]

# How long an answer may wait for others to share its write: nobody sees a millisecond.
_HOLD_S = 0.001

# Stands for a message there was no memory to read.
_STARVED = object()

# What is answered or noted even while `on_init` runs.
_UNGATED = ("ping", "initialize", "notifications/cancelled")


class Session:
    """A plugin's end of one wire.

    Attributes:
        extended: Whether the host speaks our extensions.
        settings: The plugin's settings, as the host last sent them.
        calls: What is accepted and not answered, by the host's id.
        noise: How many lines were no messages.
    """

    # Whether a session began in this process: what a runner asks when the entry has ended.
    begun = False

    def __init__(self, plugin: Plugin, wire: Wire) -> None:
        Session.begun = True
        self.plugin = plugin
        self.wire = wire
        self.extended = False
        self.settings: dict[str, Any] = {}
        self.calls: dict[int | str, Call] = {}
        self.life = Lifetime(self)
        self.crew = Crew(wire, self.handle, self.life.wire_ended)
        self.host = HostLink(wire, self.crew)
        self.events = Events(self)
        self._greeted = False
        self._log_level = 0
        self.noise = 0
        self._held_since = 0.0
        self._coroutines: Coroutines | None = None
        self._coroutines_lock = allocate_lock()

    def coroutines(self) -> Coroutines:
        """Return where coroutines run, which starts with the first one."""
        with self._coroutines_lock:
            if self._coroutines is None:
                from plughost_sdk._threads.coroutines import Coroutines

                self._coroutines = Coroutines()
        return self._coroutines

    def cancel_coroutine(self, call: Call) -> None:
        """Cancel an ``async def`` tool, if it has started."""
        if self._coroutines is not None:
            self._coroutines.cancel(call)

    def close_coroutines(self) -> None:
        """End the coroutines that still run."""
        if self._coroutines is not None:
            self._coroutines.close()

    # -- lines in -----------------------------------------------------------------------

    def handle(self, line: bytes) -> None:
        """Act on one line of the host.

        Raises:
            MemoryError: So little is left that not even this can be answered.
        """
        try:
            message = parse(line)
        except ValueError as error:
            self._read_rest(line, str(error))
            return
        except MemoryError:
            message = _STARVED
        if type(message) is dict and message.get("jsonrpc") == "2.0":
            self.act(message)
        elif message is _STARVED:  # the exception is gone, and with it what it held
            self._read_rest(head_of(line), "")
        else:
            self._read_rest(line, "it is not a JSON-RPC 2.0 message")

    def _read_rest(self, line: bytes, reason: str) -> None:
        if line.strip():
            from plughost_sdk._session.unreadable import read_rest

            read_rest(self, line, reason)

    def act(self, message: dict[str, Any], *, waited: bool = False) -> None:
        """Act on one message; one that *waited* for `on_init` does not wait again.

        Raises:
            MemoryError: See `handle`.
        """
        try:
            life = self.life
            if life.started and life.gate is None and message.get("method") == "tools/call":
                # The usual message on the shortest way; the long one has it, too.
                number = message.get("id")
                params = message.get("params")
                if self._greeted and type(params) is dict and type(number) is int:
                    meta = params.get("_meta")
                    if type(meta) is not dict or VERSION_KEY not in meta:
                        self._call_tool(number, params, stateless=False)
                        return
            self._dispatch(message, waited=waited)
        except MemoryError:
            if "method" not in message:
                raise  # an answer of the host is lost, and somebody waits for it
            self._give_back(message, STARVED_ERROR)
        except Exception as error:  # noqa: BLE001 - the edge of a request: ours to answer, not to die of
            report(error, "plughost_sdk failed on a message")
            self._give_back(message, error_member(INTERNAL, f"SDK: {error}"))

    def _give_back(self, message: dict[str, Any], member: bytes) -> None:
        """Answer the request *message*, on whose way something of ours failed."""
        number = message.get("id")
        if "method" in message and (type(number) is int or type(number) is str):
            self.calls.pop(number, None)
            self.answer(number, member)

    def _dispatch(self, message: dict[str, Any], *, waited: bool) -> None:
        method = message.get("method")
        life = self.life
        if method is None:
            self.host.answered(message)
            return
        gated = life.gate is not None and not waited and method not in _UNGATED
        if gated and life.wait_at_gate(message):
            return
        params = message.get("params")
        if "id" not in message:
            self._notified(method, params if type(params) is dict else {})
            return
        number = message["id"]
        if type(number) is not int and type(number) is not str:
            self._read_rest(dumps(message), "its id is neither an integer nor a string")
        elif type(method) is not str:
            self.answer(number, error_member(INVALID_REQUEST, "method must be a string"))
        elif params is not None and type(params) is not dict:
            self.answer(number, error_member(INVALID_PARAMS, "params must be an object"))
        else:
            self._asked(number, method, params or {}, message)

    # -- requests and notifications ---------------------------------------------------

    def _asked(
        self, number: int | str, method: str, params: dict[str, Any], message: dict[str, Any]
    ) -> None:
        stateless = is_stateless(params)
        if stateless:
            refusal = refuse_stateless(params["_meta"])
            if refusal is not None:
                self.answer(number, refusal)
                return
        if method == "tools/call" and self.life.started and (self._greeted or stateless):
            self._call_tool(number, params, stateless=stateless)
        else:
            self._asked_rarely(number, method, params, message)

    def _asked_rarely(
        self, number: int | str, method: str, params: dict[str, Any], message: dict[str, Any]
    ) -> None:
        """Answer what comes once, or before the session has begun."""
        stateless = is_stateless(params)
        if method == "ping":
            self.answer(number, result_member(stamped(b"{}", STAMP) if stateless else b"{}"))
        elif method == "initialize":
            self._initialize(number, params)
        elif not self._greeted and not stateless:
            self.answer(number, error_member(INVALID_REQUEST, "send initialize first"))
        elif self.extended and method in HOST_REQUESTS:
            HOST_REQUESTS[method](self, number, params)
        elif not self.extended and not self.life.started:
            self.life.begin_alone(message)
        elif self.life.refusal is not None:
            self.answer(number, self.life.refusal)
        else:
            self._asked_plainly(number, method, params, stateless=stateless)

    def _asked_plainly(
        self, number: int | str, method: str, params: dict[str, Any], *, stateless: bool
    ) -> None:
        """Answer what an MCP client asks of a session that has begun."""
        if method == "tools/call":  # of a host with our extensions
            self.answer(number, error_member(INVALID_REQUEST, "send plughost/activate first"))
        elif method == "tools/list":
            self._list_tools(number, params, stateless=stateless)
        elif method == "logging/setLevel":
            self._set_level(number, params, stateless=stateless)
        elif method == "server/discover" and stateless:
            self.answer(number, result_member(discovered(self.plugin.server_info)))
        else:
            self.answer(number, error_member(UNKNOWN_METHOD, f"unknown method: {method}"))

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        if method == "notifications/cancelled":
            self._withdraw(params.get("requestId"))
        elif method == "notifications/initialized":
            if not self.extended and not self.life.started:
                self.life.begin_alone(None)
        elif method == "plughost/event" and self.extended:
            self.events.take(params)

    def _initialize(self, number: int | str, params: dict[str, Any]) -> None:
        if self._greeted:
            self.answer(number, error_member(INVALID_REQUEST, "initialize came before"))
            return
        try:
            body, offered = greeted(params, self.plugin.server_info, self.plugin.features)
        except Refusal as refusal:
            self.answer(number, refusal.member)
            return
        self._greeted = True
        self.extended = offered is not None
        self.host.features = offered
        self.answer(number, result_member(body))

    def _list_tools(self, number: int | str, params: dict[str, Any], *, stateless: bool) -> None:
        if params.get("cursor") is not None:
            self.answer(number, error_member(INVALID_PARAMS, "this cursor was never given out"))
            return
        body = self.plugin.listing
        self.answer(number, result_member(stamped(body, LIST_STAMP) if stateless else body))
        # The plugin is ready now; its first call should not have to start what it needs.
        self.crew.prepare()
        if self._coroutines is None and any(tool.is_async for tool in self.plugin.tools.values()):
            self.crew.spawn(self.coroutines)

    def _set_level(self, number: int | str, params: dict[str, Any], *, stateless: bool) -> None:
        level = params.get("level")
        if level not in LEVELS:
            text = f"level must be one of {', '.join(LEVELS)}"
            self.answer(number, error_member(INVALID_PARAMS, text))
            return
        self._log_level = LEVELS.index(level)
        self.answer(number, result_member(stamped(b"{}", STAMP) if stateless else b"{}"))

    def wants_log(self, level: str, call: Call | None) -> bool:
        """Whether the host wants to read a log entry of *level*."""
        at = LEVELS.index(level)
        if call is not None and call.stateless:
            wanted = (call.meta or {}).get(LOG_LEVEL_KEY)  # without it: none at all
            return wanted in LEVELS and at >= LEVELS.index(wanted)
        return at >= self._log_level

    # -- calls --------------------------------------------------------------------------

    def _call_tool(self, number: int | str, params: dict[str, Any], *, stateless: bool) -> None:
        name = params.get("name")
        arguments = params.get("arguments")
        tool = self.plugin.tools.get(name) if type(name) is str else None
        if arguments is None:
            arguments = {}
        if tool is None or type(arguments) is not dict or self.life.ending or number in self.calls:
            self.answer(number, refused(self, number, tool, name, arguments))
            return
        meta = params.get("_meta")
        call = Call(
            self, number, tool, arguments, meta if type(meta) is dict else None, stateless=stateless
        )
        self.calls[number] = call
        crew = self.crew
        if tool.is_async:
            self._run_async(call)
        elif tool.quick and crew.may_run():
            if self.wire.held and tool.last_s > _HOLD_S:
                self.wire.flush()
            crew.run(tool, call.run_here)
        else:
            call.came = monotonic()
            crew.spawn(call.run_on_worker)

    def _run_async(self, call: Call) -> None:
        call.came = monotonic()
        if self._coroutines is not None:
            self._coroutines.start(call)
        else:  # asyncio is loaded where nobody waits for the wire
            self.crew.spawn(lambda: self._start_first(call))

    def _start_first(self, call: Call) -> None:
        try:
            self.coroutines().start(call)
        except Exception as error:  # noqa: BLE001 - no thread or no memory for a loop
            self.settle(call, call.failure(error))

    def _withdraw(self, number: object) -> None:
        if type(number) is not int and type(number) is not str:
            return
        call = self.calls.get(number)
        if call is not None:
            call.cancel()
        elif self.life.withdraw_at_gate(number) and self.extended:
            self.answer(number, error_member(CANCELLED, "cancelled before it ran"))

    # -- lines out ----------------------------------------------------------------------

    def settle(self, call: Call, member: bytes, *, may_wait: bool = False) -> None:
        """Answer *call* with the response's *member*, unless it was withdrawn (wire 7.2)."""
        self.calls.pop(call.id, None)
        self.crew.answered += 1
        if self.life.ending and not self.calls:
            self.life.calls_ended()
        if call.cancelled:
            if not call.extended:
                return
            member = error_member(CANCELLED, "the call was cancelled")
        self.answer(call.id, member, may_wait=may_wait, tool=call.tool.name)

    def answer(
        self, number: int | str, member: bytes, *, may_wait: bool = False, tool: str = ""
    ) -> None:
        """Send the response *member* to the request *number*.

        Args:
            number: The request's id.
            member: ``"result":…`` or ``"error":…``.
            may_wait: Whether the line may share a later one's write.
            tool: Whose answer it is, for the message when it is too long.
        """
        name = b"%d" % number if type(number) is int else dumps(number)
        try:
            line = b'{"jsonrpc":"2.0","id":%s,%s}\n' % (name, member)
        except MemoryError:
            member = STARVED_RESULT if tool else STARVED_ERROR
            line = b'{"jsonrpc":"2.0","id":%s,%s}\n' % (name, member)
        wire = self.wire
        if len(line) > wire.limit_bytes:
            member = too_long(len(line), wire.limit_bytes, tool)
            line = b'{"jsonrpc":"2.0","id":%s,%s}\n' % (name, member)
        if may_wait and self.crew.lines and self._may_hold():
            wire.hold(line)
        else:
            wire.send(line)

    def _may_hold(self) -> bool:
        if not self.crew.may_run():
            return False
        now = monotonic()
        if not self.wire.held:
            self._held_since = now
        return now - self._held_since < _HOLD_S

    def tools_changed(self) -> None:
        """Tell the host that the tools are others now."""
        if self._greeted:
            self.host.tell("notifications/tools/list_changed", {})
