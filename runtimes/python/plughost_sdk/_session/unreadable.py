"""What becomes of a line that could not be read: its request is answered, or it is logged.

Loaded when such a line comes.
"""

from __future__ import annotations

from plughost_sdk._session.answers import INVALID_REQUEST, STARVED_ERROR, typed_error
from plughost_sdk.jsontext import parse
from plughost_sdk.wire import CutLine, StarvedLine, log

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from plughost_sdk._session.session import Session

__all__ = ["read_head", "read_rest"]

# Lines that are no messages are logged up to this count; a flood of them is the host's affair.
_NOISE_LOGGED = 10


def read_rest(session: Session, line: bytes, reason: str) -> None:
    """Act on *line* as far as that goes; *reason* is what is wrong with a whole one."""
    if not isinstance(line, CutLine):
        _note_noise(session, line, reason)
        return
    if isinstance(line, StarvedLine):
        kind, reason = "memory-limit", "the plugin has no memory left for it"
        member = STARVED_ERROR
    else:
        kind, reason = "output-limit", f"it is longer than {session.wire.limit_bytes} bytes"
        member = typed_error(INVALID_REQUEST, kind, f"the message is not read: {reason}")
    number, is_request = read_head(line)
    if number is None:
        _note_noise(session, line, reason)
    elif is_request:
        session.answer(number, member)
    elif type(number) is int:
        session.host.cut(number, kind, f"the answer is not read: {reason}")


def _note_noise(session: Session, line: bytes, reason: str) -> None:
    session.noise += 1
    if session.noise <= _NOISE_LOGGED:
        head = line[:80].decode(errors="replace")
        log(f"plughost_sdk: ignored a line of the host ({reason}): {head!r}")


def read_head(head: bytes) -> tuple[int | str | None, bool]:
    """Return the id in the first bytes of a message, and whether it is a request.

    Writers put the id near the start, before what is long; where they do not, or where
    the id could be part of something deeper, nobody can be told.
    """
    before, found, after = head.partition(b'"id":')
    if not found or before.count(b"{") != 1:
        return None, False
    text = after.split(b",")[0]
    try:
        number = parse(text)
    except ValueError:
        return None, False
    if type(number) is not int and type(number) is not str:
        return None, False
    return number, b'"method":' in head
