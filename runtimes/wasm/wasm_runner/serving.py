"""How do the module's exports become a plugin of the SDK?"""

from __future__ import annotations

import posix

from plughost_sdk import Plugin
from plughost_sdk.errors import Cancelled
from plughost_sdk.jsontext import encode
from wasm_runner.answers import answer_of, failure, tool_error
from wasm_runner.library import LoadFailure
from wasm_runner.module import GuestError, Interrupted

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from plughost_sdk import Context
    from wasm_runner.description import Description
    from wasm_runner.module import GuestModule

__all__ = ["declared"]

# Time for what has no deadline of a call, such as `on_init` (contracts/wire/wasm.md, section 8.3).
HANDLER_LIMIT_S = 30.0


def declared(module: GuestModule, description: Description, folder: str) -> Plugin:
    """Return a plugin that serves *module*, ready to run.

    Args:
        module: What is called.
        description: What it offers.
        folder: The plugin's; lends it a name when the host does not say one.
    """
    told = posix.environ.get(b"PLUGHOST_PLUGIN", b"").decode(errors="replace")
    plugin = Plugin(told or folder.rstrip("/").rpartition("/")[2])
    for tool in description.tools:
        _declare_tool(plugin, module, tool)
    _declare_life(plugin, module)
    _declare_handlers(plugin, module, description)
    if "parse_incoming" in module.exports:
        _declare_channel(plugin, module)
    return plugin


def _declare_tool(plugin: Plugin, module: GuestModule, tool: dict[str, Any]) -> None:
    name = tool["name"]
    long_running = (tool.get("_meta") or {}).get("plughost/longRunning") is True

    def run(arguments: dict[str, Any], ctx: Context) -> Any:
        request = {"name": name, "arguments": arguments}
        return _asked(
            module,
            "handle_tool_call",
            request,
            f"tool {name!r}",
            context=ctx,
            is_tool=True,
            long_running=long_running,
        )

    plugin.add_tool(
        name,
        run,
        description=tool["description"],
        input=tool["inputSchema"],
        output=tool.get("outputSchema"),
        title=tool.get("title"),
        long_running=long_running,
        annotations=tool.get("annotations"),
    )


def _declare_life(plugin: Plugin, module: GuestModule) -> None:
    def on_init(settings: dict[str, Any], ctx: Context) -> None:
        module.settings = settings
        if "on_init" in module.exports:
            _asked(module, "on_init", settings, "`on_init`", context=ctx)

    plugin.on_init(on_init)
    if "on_cleanup" in module.exports:

        def on_cleanup(ctx: Context) -> None:
            _asked(module, "on_cleanup", None, "`on_cleanup`", context=ctx)

        plugin.on_cleanup(on_cleanup)


def _declare_handlers(plugin: Plugin, module: GuestModule, description: Description) -> None:
    def on_event(event: Any, ctx: Context) -> None:
        _asked(module, "on_event", dict(event), "`on_event`", context=ctx)

    def decider(point: str) -> Callable[[Any, Context], Any]:
        def on_hook(context: Any, ctx: Context) -> Any:
            request = {"point": point, "context": context}
            return _asked(module, "on_hook", request, "`on_hook`", context=ctx)

        return on_hook

    for name in description.events:
        plugin.on(name)(on_event)
    for point in description.hooks:
        plugin.hook(point)(decider(point))


def _declare_channel(plugin: Plugin, module: GuestModule) -> None:
    def parse_incoming(payload: Any, headers: Any, ctx: Context) -> Any:
        request = {"payload": payload, "headers": headers}
        return _asked(module, "parse_incoming", request, "`parse_incoming`", context=ctx)

    def format_outgoing(message: Any, ctx: Context) -> Any:
        request = {"message": message}
        return _asked(module, "format_outgoing", request, "`format_outgoing`", context=ctx)

    plugin.on_channel_parse(parse_incoming)
    plugin.on_channel_format(format_outgoing)


def _asked(
    module: GuestModule,
    export: str,
    request: Any,
    name: str,
    *,
    context: Context | None = None,
    is_tool: bool = False,
    long_running: bool = False,
) -> Any:
    """Call *export* with *request* and return what it answered, as the SDK takes it."""
    data = b"" if request is None else encode(request, "request")
    limit_s = None if is_tool else HANDLER_LIMIT_S
    try:
        output = module.run(
            export, data, name=name, context=context, long_running=long_running, limit_s=limit_s
        )
    except GuestError as error:
        raise failure(error.trap, name) from None
    except Interrupted:
        raise Cancelled("the caller withdrew the call") from None
    except (MemoryError, LoadFailure) as error:
        raise tool_error("MemoryLimit", f"{name} found no memory: {error}") from None
    return answer_of(output, name, is_tool=is_tool)
