"""What a plugin's author declares: tools, and handlers for what the host tells."""

from __future__ import annotations

import posix
import sys

from plughost_sdk._declared.handlers import Handler
from plughost_sdk._declared.tools import Tool
from plughost_sdk.errors import DeclarationError
from plughost_sdk.wire import log, secure, secured

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from plughost_sdk._session.session import Session

    F = TypeVar("F", bound=Callable[..., Any])
else:

    def overload(function: object) -> object:
        """Stand in for typing's, which only type checkers read."""
        return function


__all__ = ["Plugin"]

# sysexits.h: EX_CONFIG, as wire 11.2 uses it: not restarted until a file changes.
_NEVER_WORKS = 78


class Plugin:
    """A plugin: its tools and its handlers.

    Args:
        name: What it calls itself; by default what the manifest says, else its folder's name.
        version: By default what the manifest says, else ``0.0.0``.
    """

    def __init__(self, name: str | None = None, version: str | None = None) -> None:
        self.name = name or _told("PLUGHOST_PLUGIN") or _folder()
        self.version = version or _told("PLUGHOST_PLUGIN_VERSION") or "0.0.0"
        self.tools: dict[str, Tool] = {}
        self.event_handlers: dict[str, list[Handler]] = {}
        self.hook_handlers: dict[str, Handler] = {}
        self.life_handlers: dict[str, Handler] = {}
        self.listing = b'{"tools":[]}'
        self._session: Session | None = None
        # A program that will serve says so by being `__main__`; a module that tests import
        # is none, and keeps its standard streams.
        if sys._getframe(1).f_globals.get("__name__") == "__main__" and _is_piped():  # noqa: SLF001
            secure()

    @property
    def server_info(self) -> dict[str, str]:
        """Name and version as the wire wants them."""
        return {"name": self.name, "version": self.version}

    @property
    def features(self) -> list[str]:
        """The extensions this plugin has handlers for (wire 9)."""
        life = self.life_handlers
        has = {
            "events": bool(self.event_handlers),
            "hooks": bool(self.hook_handlers),
            "snapshot": "snapshot" in life or "restore" in life,
            "channel": "channel_parse" in life or "channel_format" in life,
        }
        return [name for name, there in has.items() if there]

    # -- tools --------------------------------------------------------------------------

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(  # noqa: F811 - ruff does not see that `overload` is typing's
        self,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        idempotent: bool = False,
        long_running: bool = False,
        annotations: dict[str, Any] | None = None,
        input: dict[str, Any] | None = None,  # noqa: A002 - the keyword authors write
        output: dict[str, Any] | None = None,
    ) -> Callable[[F], F]: ...

    def tool(  # noqa: F811 - see above
        self,
        function: Any = None,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        idempotent: bool = False,
        long_running: bool = False,
        annotations: dict[str, Any] | None = None,
        input: dict[str, Any] | None = None,  # noqa: A002 - the keyword authors write
        output: dict[str, Any] | None = None,
    ) -> Any:
        """Make a function a tool; with or without parentheses.

        Args:
            function: ``def`` or ``async def``; its type hints are the tool's schema.
            name: By default the function's.
            title: A name for people.
            description: By default its docstring's.
            idempotent: Whether the host may repeat a call that got no answer.
            long_running: Whether reported progress extends the call's deadline.
            annotations: More of MCP's hints, as ``{"readOnlyHint": True}``.
            input: A JSON Schema of the arguments, instead of the type hints'.
            output: A JSON Schema of what it returns.
        """

        def declare(function: F) -> F:
            self._add(
                Tool(
                    function,
                    name,
                    title=title,
                    description=description,
                    input=input,
                    output=output,
                    idempotent=idempotent,
                    long_running=long_running,
                    annotations=annotations,
                )
            )
            return function

        return declare if function is None else declare(function)

    def add_tool(
        self,
        name: str,
        run: Callable[..., Any],
        *,
        description: str,
        input: dict[str, Any],  # noqa: A002 - the keyword authors write
        output: dict[str, Any] | None = None,
        title: str | None = None,
        idempotent: bool = False,
        long_running: bool = False,
        annotations: dict[str, Any] | None = None,
    ) -> None:
        """Declare a tool that brings its own schema: ``run(arguments, ctx)``; else as `tool`."""
        self._add(
            Tool(
                run,
                name,
                title=title,
                description=description,
                input=input,
                output=output,
                idempotent=idempotent,
                long_running=long_running,
                annotations=annotations,
                raw=True,
            )
        )

    def _add(self, tool: Tool) -> None:
        if tool.name in self.tools:
            raise DeclarationError(f"two tools are named {tool.name!r}: give one another name")
        if self._session is not None:
            tool.prepare()
        self.tools[tool.name] = tool
        if self._session is not None:
            self._list_tools()
            self._session.tools_changed()

    def _list_tools(self) -> None:
        tools = [tool.prepare() for tool in self.tools.values()]
        self.listing = b'{"tools":[%s]}' % b",".join(tools)

    # -- handlers -----------------------------------------------------------------------

    def on(self, event: str) -> Callable[[F], F]:
        """Handle an event: ``handler(event)``."""

        def declare(function: F) -> F:
            handler = Handler(function, f"the handler of event {event!r}")
            self.event_handlers.setdefault(event, []).append(handler)
            return function

        return declare

    def hook(self, point: str) -> Callable[[F], F]:
        """Decide at a hook point: ``handler(context)`` returns None, "allow", "deny" or a dict."""

        def declare(function: F) -> F:
            if point in self.hook_handlers:
                raise DeclarationError(f"two handlers for the hook {point!r}: make them one")
            self.hook_handlers[point] = Handler(function, f"the handler of hook {point!r}")
            return function

        return declare

    def on_init(self, function: F) -> F:
        """Run ``handler(settings)`` before the first call; raise to refuse to start."""
        return self._on("init", function)

    def on_cleanup(self, function: F) -> F:
        """Run ``handler()`` before the plugin exits."""
        return self._on("cleanup", function)

    def on_snapshot(self, function: F) -> F:
        """Hand over to the next generation: ``handler()`` returns the state."""
        return self._on("snapshot", function)

    def on_restore(self, function: F) -> F:
        """Take over from the last generation: ``handler(state)``."""
        return self._on("restore", function)

    def on_channel_parse(self, function: F) -> F:
        """Read what a platform sent: ``handler(payload, headers)`` returns messages."""
        return self._on("channel_parse", function)

    def on_channel_format(self, function: F) -> F:
        """Write what a platform takes: ``handler(message)`` returns the payload."""
        return self._on("channel_format", function)

    def _on(self, which: str, function: F) -> F:
        if which in self.life_handlers:
            raise DeclarationError(f"two handlers for on_{which}: make them one")
        self.life_handlers[which] = Handler(function, f"on_{which}")
        return function

    # -- running ------------------------------------------------------------------------

    def extend_start(self, seconds: float) -> None:
        """Ask the host, from `on_init`, for *seconds* more; it grants 60 s from spawn in all."""
        if self._session is not None and self._session.extended:
            self._session.host.post("plughost/extend_start", {"seconds": seconds})

    def run(self) -> None:
        """Serve until the host is done with the plugin.

        Raises:
            SystemExit: 64 when a person started the plugin, 78 when a declaration can
                never work, 130 after Ctrl-C.
        """
        if self._session is not None:
            raise RuntimeError("run() was called before")
        session = self._begin()
        try:
            session.crew.serve()
        except KeyboardInterrupt:
            session.life.interrupted()
            raise SystemExit(130) from None  # 128 + SIGINT, as shells report it

    def _begin(self) -> Session:
        wire = secure()
        from plughost_sdk._session.session import Session

        session = Session(self, wire)
        try:
            self._list_tools()
        except DeclarationError as error:
            log(f"plugin {self.name!r} cannot start: {error}")
            raise SystemExit(_NEVER_WORKS) from None
        self._session = session
        _let_host_ask_for_stacks()
        return session


def _is_piped() -> bool:
    return secured() or b"PLUGHOST_WIRE" in posix.environ or not posix.isatty(0)


def _told(variable: str) -> str | None:
    value = posix.environ.get(variable.encode())
    return value.decode(errors="replace") if value else None


def _folder() -> str:
    """The name of the folder the plugin's entry stands in."""
    main = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    folder = main.rpartition("/")[0]
    if not folder.startswith("/"):
        folder = f"{posix.getcwd()}/{folder}"
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    return parts[-1] if parts else "plugin"


def _let_host_ask_for_stacks() -> None:
    import faulthandler
    from _signal import SIGUSR1  # type: ignore[import-not-found]  # `signal` imports enum: 4 ms

    faulthandler.register(SIGUSR1, file=2, all_threads=True)
