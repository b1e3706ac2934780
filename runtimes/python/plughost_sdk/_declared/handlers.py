"""One handler of an event, a hook, a channel or the plugin's life, and how it is called."""

from __future__ import annotations

from plughost_sdk._declared.signatures import read_signature
from plughost_sdk._declared.tools import is_context
from plughost_sdk.context import AsyncContext, Context

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from plughost_sdk._session.session import Session

__all__ = ["Event", "Handler"]


class Handler:
    """A function of the plugin that is no tool.

    It gets as many of the arguments as it has parameters, and the context if it asks.
    """

    __slots__ = ("_ctx", "_function", "_takes", "is_async", "quick", "streak")

    def __init__(self, function: Callable[..., Any], where: str) -> None:
        signature = read_signature(function, where)
        asks = [one.name for one in signature.parameters if is_context(one, signature)]
        self._function = function
        self._ctx = asks[0] if asks else None
        self._takes = len(signature.parameters) - len(asks[:1])
        if signature.takes_args:
            self._takes = 9  # more than any handler is given
        self.is_async = signature.is_async
        self.quick = True
        self.streak = 0

    def run(self, session: Session, *arguments: Any) -> Any:
        """Call the handler, in the loop if it is ``async def``, and return its result."""
        arguments = arguments[: self._takes]
        function = self._function
        if self._ctx is not None:
            ctx = (AsyncContext if self.is_async else Context)(session, None)
            name, inner = self._ctx, function

            def function(*arguments: Any) -> Any:
                return inner(*arguments, **{name: ctx})

        if self.is_async:
            return session.coroutines().run(function, arguments)
        return function(*arguments)


class Event(dict):  # type: ignore[type-arg]  # `dict[str, Any]` as a base costs an alias at start
    """An event: a dict, whose parts are attributes, too."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The event's name."""
        return str(self.get("name"))

    @property
    def origin(self) -> str | None:
        """Who published it: a plugin's name, or the host's."""
        return self.get("origin")

    @property
    def seq(self) -> int | None:
        """Its number; a gap says that events were lost."""
        return self.get("seq")

    @property
    def payload(self) -> Any:
        """What it carries."""
        return self.get("payload")
