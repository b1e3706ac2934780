"""One conversation with one plugin: bytes in, events out, bytes to write back.

The session never waits, reads no clock and writes no log.  It numbers our
requests, knows which are open, abandoned or answered, refuses moves that are
not in `moves.MOVES`, and turns every input into events: nothing a plugin
sends makes it raise.
"""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from plughost.errors import LocalError, PeerError
from plughost.protocol.framing import DEFAULT_MAX_MESSAGE_BYTES, HEAD_BYTES, Framer, Oversize
from plughost.protocol.messages import (
    Notification,
    Request,
    RequestId,
    Response,
    encode,
    find_id,
    parse,
)
from plughost.protocol.moves import STEPS, Side, State, may_send

__all__ = ["Answer", "Ask", "Event", "Malformed", "Noise", "Session", "Stray", "Tell", "TooLong"]

# JSON-RPC 2.0, section 5.1.
_INVALID_REQUEST: Final = -32600
_METHOD_NOT_FOUND: Final = -32601

# How much of a line that is no message is shown to people.
_EXCERPT_BYTES: Final = 200

# The ids of the two sides are separate, so a dropped line must look like an
# answer (no method before its result) before its id is taken for one of ours.
_ANSWER: Final = re.compile(rb'^(?:(?!"method"\s*:).)*?"(?:result|error)"\s*:', re.DOTALL)

_CALL: Final = b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":%b}\n'

# How many abandoned ids are remembered, so that their late answers are told
# from forged ones.  Ids of calls cancelled longer ago than this many others
# are reported as stray instead of late: a label, not a fault.
_TOMBSTONES: Final = 1024


@attrs.define
class Answer:
    """The answer to one of our open requests; ``error`` is None for a result."""

    id: int
    result: dict[str, Any]
    error: dict[str, Any] | None


@attrs.define
class Ask:
    """A request of the plugin; answer it with `Session.answer` or `Session.refuse`."""

    id: RequestId
    method: str
    params: dict[str, Any]


@attrs.define
class Tell:
    """A notification of the plugin."""

    method: str
    params: dict[str, Any]


@attrs.define
class Noise:
    """A line that is no message."""

    reason: str
    excerpt: str


@attrs.define
class Malformed:
    """A line that should be the answer to one of our open requests, and is no message."""

    id: int
    reason: str
    excerpt: str


@attrs.define
class Stray:
    """An answer nobody waits for: ``late`` if we gave up on it, else forged or doubled."""

    id: RequestId
    late: bool


@attrs.define
class TooLong:
    """A line over the limit was dropped; ``id`` is the request it answered, if known."""

    id: int | None
    size_bytes: int


Event = Answer | Ask | Tell | Malformed | Noise | Stray | TooLong


@attrs.define
class Session:
    """The host's side of one session.

    Attributes:
        state: Where the session is.
        to_send: Bytes the session itself wants written (refusals of illegal
            requests); the owner takes them after each `receive`.
    """

    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    state: State = attrs.field(default=State.NEW, init=False)
    to_send: bytearray = attrs.field(factory=bytearray, init=False)
    _framer: Framer = attrs.field(init=False)
    _next_id: int = attrs.field(default=1, init=False)
    # Our open requests: id -> method.
    _open: dict[int, str] = attrs.field(factory=dict, init=False)
    # Requests we gave up on: insertion-ordered, bounded.
    _given_up: dict[int, None] = attrs.field(factory=dict, init=False)
    # Requests of the plugin that we have not answered yet.
    _owed: set[RequestId] = attrs.field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._framer = Framer(self.max_message_bytes)

    # -- what we say ---------------------------------------------------------

    @property
    def next_id(self) -> int:
        """The id the next request will have."""
        return self._next_id

    def request(self, method: str, params: bytes = b"{}") -> tuple[int, bytes]:
        """Open a request and return its id and its line.

        Args:
            method: A method of `moves.MOVES`.
            params: Its parameters, encoded.

        Raises:
            LocalError: The state does not allow it, or it is too long.
        """
        self._check_move(method)
        request_id = self._next_id
        line = b'{"jsonrpc":"2.0","id":%d,"method":"%b","params":%b}\n' % (
            request_id,
            method.encode(),
            params,
        )
        self._check_size(line)
        self._next_id = request_id + 1
        self._open[request_id] = method
        self._step(f"sent {method}")
        return request_id, line

    def call(self, params: bytes) -> tuple[int, bytes]:
        """Open a ``tools/call`` and return its id and its line: `request`, made for speed.

        Raises:
            LocalError: The session is not ready, or the line is too long.
        """
        if self.state is not State.READY:
            self._check_move("tools/call")
        request_id = self._next_id
        line = _CALL % (request_id, params)
        if len(line) > self.max_message_bytes:
            self._check_size(line)
        self._next_id = request_id + 1
        self._open[request_id] = "tools/call"
        return request_id, line

    def notify(self, method: str, params: bytes = b"{}") -> bytes:
        """Return the line of a notification.

        Raises:
            LocalError: The state does not allow it, or it is too long.
        """
        self._check_move(method)
        line = b'{"jsonrpc":"2.0","method":"%b","params":%b}\n' % (method.encode(), params)
        self._check_size(line)
        return line

    def give_up(self, request_id: int, reason: str) -> bytes:
        """Stop waiting for *request_id*; return the cancellation to send, if any.

        A later answer becomes a `Stray` with ``late`` set.
        """
        if self._open.pop(request_id, None) is None:
            return b""
        self._given_up[request_id] = None
        if len(self._given_up) > _TOMBSTONES:
            del self._given_up[next(iter(self._given_up))]
        if not may_send(Side.HOST, "notifications/cancelled", self.state):
            return b""
        params = encode({"requestId": request_id, "reason": reason})
        return self.notify("notifications/cancelled", params)

    def answer(self, request_id: RequestId, result: bytes) -> bytes:
        """Return the line that answers the plugin's request with *result*, encoded.

        Raises:
            LocalError: It is not open, or the line would be too long.
        """
        self._check_owed(request_id)
        line = b'{"jsonrpc":"2.0","id":%b,"result":%b}\n' % (encode(request_id), result)
        self._check_size(line)
        self._owed.discard(request_id)
        return line

    def refuse(
        self, request_id: RequestId, code: int, message: str, data: dict[str, Any] | None = None
    ) -> bytes:
        """Return the line that answers the plugin's request with an error.

        Raises:
            LocalError: It is not open.
        """
        self._check_owed(request_id)
        self._owed.discard(request_id)
        return _error_line(request_id, code, message, data)

    def step_ready(self) -> None:
        """Record that the handshake is complete."""
        self._step("ready")

    def end(self) -> list[int]:
        """Close the session and return the ids of our requests that stay unanswered."""
        self._step("end")
        open_ids = list(self._open)
        self._open.clear()
        self._owed.clear()
        return open_ids

    # -- what we hear --------------------------------------------------------

    def receive(self, data: bytes) -> list[Event]:
        """Return what *data* completes, in order."""
        events: list[Event] = []
        for line in self._framer.receive(data):
            if type(line) is Oversize:
                events.append(self._too_long(line))
                continue
            try:
                message = parse(line)  # type: ignore[arg-type]  # Oversize went above
            except PeerError as exc:
                excerpt = line[:_EXCERPT_BYTES].decode("utf-8", "replace")  # type: ignore[index]  # as above
                events.append(self._not_understood(line[:HEAD_BYTES], str(exc), excerpt))  # type: ignore[index]  # as above
                continue
            event = self._heard(message)
            if event is not None:
                events.append(event)
        return events

    def _heard(self, message: Request | Notification | Response) -> Event | None:
        if type(message) is Response:
            return self._answered(message)
        if type(message) is Notification:
            if may_send(Side.PLUGIN, message.method, self.state):
                return Tell(message.method, message.params)
            # Unknown notifications are ignored (§3.4); so are early ones.
            return None
        assert type(message) is Request
        return self._asked(message)

    def _answered(self, message: Response) -> Event:
        request_id = message.id
        if not isinstance(request_id, int):
            return Stray(request_id, late=False)  # all of ours are numbers
        method = self._open.pop(request_id, None)
        if method is None:
            late = request_id in self._given_up
            self._given_up.pop(request_id, None)
            return Stray(request_id, late)
        if method == "initialize" and message.error is None:
            self._step("answered initialize")
        return Answer(request_id, message.result, message.error)

    def _asked(self, message: Request) -> Event | None:
        if message.id in self._owed:
            return Noise(f"request id {message.id!r} is used twice", message.method[:64])
        allowed = may_send(Side.PLUGIN, message.method, self.state)
        if allowed:
            self._owed.add(message.id)
            return Ask(message.id, message.method, message.params)
        if allowed is None:
            code, words = _METHOD_NOT_FOUND, f"the host does not know {message.method[:64]!r}"
        else:
            code, words = _INVALID_REQUEST, f"{message.method!r} is not legal while {self.state}"
        error = {"type": "protocol-violation", "message": words, "retryable": False}
        self.to_send += _error_line(message.id, code, words, error)
        return None

    def _too_long(self, line: Oversize) -> TooLong:
        return TooLong(self._answered_by(line.head), line.size_bytes)

    def _not_understood(self, head: bytes, reason: str, excerpt: str) -> Malformed | Noise:
        number = self._answered_by(head)
        return Noise(reason, excerpt) if number is None else Malformed(number, reason, excerpt)

    def _answered_by(self, head: bytes) -> int | None:
        """Take out and return the open request that a broken line seems to answer."""
        found = find_id(head)
        is_answer = b'"method"' not in head or _ANSWER.search(head) is not None
        if is_answer and type(found) is int and self._open.pop(found, None) is not None:
            return found
        return None

    # -- rules ---------------------------------------------------------------

    def _check_move(self, method: str) -> None:
        if not may_send(Side.HOST, method, self.state):
            raise LocalError(f"the host may not send {method!r} while the session is {self.state}")

    def _check_size(self, line: bytes) -> None:
        if len(line) > self.max_message_bytes:
            raise LocalError(
                f"a message of {len(line)} bytes is over the limit of {self.max_message_bytes}",
                hint="Send less at once, or raise `max_message_mb` in the manifest (64 at most).",
                size_bytes=len(line),
                limit_bytes=self.max_message_bytes,
            )

    def _check_owed(self, request_id: RequestId) -> None:
        if request_id not in self._owed:
            raise LocalError(f"the plugin has no open request {request_id!r}")

    def _step(self, happened: str) -> None:
        self.state = STEPS.get((self.state, happened), self.state)


def _error_line(
    request_id: RequestId, code: int, message: str, data: dict[str, Any] | None
) -> bytes:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return encode({"jsonrpc": "2.0", "id": request_id, "error": error}) + b"\n"
