"""What does every answer have in common: a request id, and one shape of error?

It is also the door: a request that names another host, or comes from a page of
another origin, goes no further.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from aiohttp import web

from plughost.errors import InternalError, PlughostError
from plughost.gateway.address import is_loopback_host, is_same_origin
from plughost.journal import Journal

__all__ = ["USAGE", "answer_json", "stand_at_the_door"]

log = Journal("plughost.gateway")

# The type of a request that is wrong before any plugin is concerned.
USAGE: Final = "usage"

# What a caller may name a request: it comes back in a header and in the log.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_MISDIRECTED: Final = 421  # RFC 9110 §15.5.20
_FORBIDDEN: Final = 403
_CLIENT_ERROR: Final = 400

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer_json(value: Any, *, status: int = 200) -> web.Response:
    """Return *value* as a JSON answer."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


@web.middleware
async def stand_at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check where *request* comes from, answer it, and word what went wrong."""
    named = request.headers.get("X-Request-Id", "")
    request_id = named if _REQUEST_ID.fullmatch(named) else uuid.uuid4().hex
    refusal = _refuse_stranger(request, request_id)
    response = refusal if refusal is not None else await _answer(request, handler, request_id)
    response.headers["X-Request-Id"] = request_id
    # What plugins are named and do is nobody's to guess at from a script tag.
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Server"] = "plughost"
    response.headers["Cache-Control"] = "no-store"
    return response


def _refuse_stranger(request: web.Request, request_id: str) -> web.Response | None:
    host = request.headers.get("Host", "")
    if not is_loopback_host(host):
        return _error(
            _MISDIRECTED,
            USAGE,
            f"this gateway is not {host!r}" if host else "the request names no Host",
            "Ask for 127.0.0.1, localhost or [::1].",
            request_id,
        )
    origin = request.headers.get("Origin")
    if origin is not None and not is_same_origin(origin, host):
        message = f"a page of {origin!r} may not ask here"
        return _error(_FORBIDDEN, USAGE, message, "Ask from a program.", request_id)
    return None


async def _answer(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except PlughostError as failed:
        return _error(failed.http_status, failed.type, str(failed), failed.hint, request_id)
    except web.HTTPException as refused:
        if refused.status < _CLIENT_ERROR:
            raise
        return _refusal(request, refused, request_id)
    except Exception as bug:
        log.exception("request.failed", path=request.path, request_id=request_id)
        message = f"a bug in plughost: {type(bug).__name__}"
        hint = f"Report it with the log of request {request_id}."
        return _error(InternalError.http_status, InternalError.type, message, hint, request_id)


def _refusal(request: web.Request, refused: web.HTTPException, request_id: str) -> web.Response:
    """Return what aiohttp itself refuses, as an error of ours."""
    message, hint = f"{request.path!r} cannot be answered: {refused.reason}", ""
    if isinstance(refused, web.HTTPNotFound):
        message, hint = f"there is no {request.path!r} here", "GET /v1/plugins lists the plugins."
    elif isinstance(refused, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(refused.allowed_methods))
        message = f"{request.path!r} does not take {request.method}"
        hint = f"It takes {allowed}."
    response = _error(refused.status, USAGE, message, hint, request_id)
    if "Allow" in refused.headers:
        response.headers["Allow"] = refused.headers["Allow"]
    return response


def _error(status: int, error_type: str, message: str, hint: str, request_id: str) -> web.Response:
    body = {"type": error_type, "message": message, "hint": hint, "request_id": request_id}
    return answer_json({"error": body}, status=status)
