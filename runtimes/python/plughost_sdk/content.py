"""What a tool returns when plain data is not enough, and what `ctx.http` returns."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["Content", "Response", "Result"]


class Content:
    """One block of content, as MCP has them: a text, an image, a sound, a resource.

    Attributes:
        block: The block as it travels.
    """

    __slots__ = ("block",)

    def __init__(self, block: dict[str, Any]) -> None:
        self.block = block

    @classmethod
    def text(cls, text: str) -> Content:
        """Return a text block."""
        return cls({"type": "text", "text": text})

    @classmethod
    def image(cls, data: bytes, mime_type: str) -> Content:
        """Return an image block, *data* being the file's bytes."""
        return cls({"type": "image", "data": _base64(data), "mimeType": mime_type})

    @classmethod
    def audio(cls, data: bytes, mime_type: str) -> Content:
        """Return a sound block, *data* being the file's bytes."""
        return cls({"type": "audio", "data": _base64(data), "mimeType": mime_type})

    @classmethod
    def resource(cls, uri: str, data: str | bytes, mime_type: str | None = None) -> Content:
        """Return an embedded resource: its text, or its bytes."""
        inside: dict[str, Any] = {"uri": uri}
        if mime_type is not None:
            inside["mimeType"] = mime_type
        if isinstance(data, str):
            inside["text"] = data
        else:
            inside["blob"] = _base64(data)
        return cls({"type": "resource", "resource": inside})

    @classmethod
    def link(cls, uri: str, name: str, mime_type: str | None = None) -> Content:
        """Return a link to a resource."""
        block: dict[str, Any] = {"type": "resource_link", "uri": uri, "name": name}
        if mime_type is not None:
            block["mimeType"] = mime_type
        return cls(block)


class _Nothing:
    """No data, which is not the same as None."""

    __slots__ = ()


NOTHING = _Nothing()


class Result:
    """Content blocks, with or without data.

    Args:
        content: Blocks, or plain strings for text blocks.
        data: What the tool returns beside them; leave it out for none.
    """

    __slots__ = ("blocks", "data")

    def __init__(
        self,
        content: Content | str | Sequence[Content | str | dict[str, Any]] = (),
        data: Any = NOTHING,
    ) -> None:
        parts = (content,) if isinstance(content, (Content, str)) else content
        self.blocks = [_block(part) for part in parts]
        self.data = data


class Response:
    """What a server answered to `ctx.http`.

    Attributes:
        status: The HTTP status.
        headers: Header names in lower case.
        body: The bytes.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Return the body's JSON."""
        from plughost_sdk.jsontext import parse

        return parse(self.body)


def _block(part: Content | str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(part, Content):
        return part.block
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return part


def _base64(data: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode()


def response_of(answer: dict[str, Any]) -> Response:
    """Read the host's answer to ``plughost/http`` (wire 10.4)."""
    if "body_base64" in answer:
        from binascii import a2b_base64

        body = a2b_base64(answer["body_base64"])
    else:
        body = str(answer.get("body", "")).encode()
    headers = {str(name).lower(): str(text) for name, text in answer.get("headers", {}).items()}
    return Response(int(answer["status"]), headers, body)
