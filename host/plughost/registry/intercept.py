"""The seam around every call: rules and metering stand here, and nothing else does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import attrs

from plughost.contracts.results import CallResult
from plughost.contracts.tools import Tool

__all__ = ["Interceptor", "Proceed", "Request", "chain"]


@attrs.frozen(kw_only=True)
class Request:
    """A call as an interceptor sees it: resolved and valid, not yet sent.

    Attributes:
        arguments: What the tool will get; do not change it in place.
        callers: Who called whom to get here, as ``plugin.tool``, outermost first.
        user: On whose behalf.
    """

    call_id: str
    plugin: str
    tool: Tool
    arguments: dict[str, Any]
    timeout_s: float
    callers: tuple[str, ...]
    user: str


Proceed = Callable[[Request], Awaitable[CallResult]]


class Interceptor(Protocol):
    """Stands around calls: may refuse before, may look at the result after."""

    async def __call__(self, request: Request, proceed: Proceed) -> CallResult:
        """Return ``await proceed(request)``, or a result of its own.

        It must not outlive the call: the deadline of *request* is running.
        """
        ...


def chain(interceptors: Sequence[Interceptor], last: Proceed) -> Proceed:
    """Return *interceptors* around *last*; the first one is outermost."""
    proceed = last
    for interceptor in reversed(interceptors):
        proceed = _around(interceptor, proceed)
    return proceed


def _around(interceptor: Interceptor, proceed: Proceed) -> Proceed:
    async def step(request: Request) -> CallResult:
        return await interceptor(request, proceed)

    return step
