"""What does the module say it offers, and can that be served?"""

from __future__ import annotations

from plughost_sdk.jsontext import parse
from wasm_runner.refusals import Refusal

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

    from wasm_runner.module import GuestModule

__all__ = ["Description", "described"]

# Time for `describe`: half of the ten seconds a plugin has to start.
DESCRIBE_LIMIT_S = 5.0

# Exports a module must have, and pairs that stand together or not at all.
REQUIRED = ("describe", "handle_tool_call")
TOGETHER = ("parse_incoming", "format_outgoing")


class Description:
    """The answer of `describe`, checked.

    Attributes:
        tools: As in `tools/list`.
        events: What `on_event` is for.
        hooks: What `on_hook` is for.
    """

    def __init__(self, tools: list[dict[str, Any]], events: list[str], hooks: list[str]) -> None:
        self.tools = tools
        self.events = events
        self.hooks = hooks


def described(module: GuestModule) -> Description:
    """Ask *module* what it offers.

    Raises:
        Refusal: Its exports or its answer break the contract.
        GuestError: `describe` trapped, or did not end in time.
    """
    for name in REQUIRED:
        if name not in module.exports:
            raise Refusal(f"it exports no function `{name}` without parameters")
    if len(module.exports.intersection(TOGETHER)) == 1:
        raise Refusal("`parse_incoming` and `format_outgoing` must both be exported, or neither")
    output = module.run("describe", b"", limit_s=DESCRIBE_LIMIT_S)
    try:
        answer = parse(output)
    except ValueError as exc:
        raise Refusal(f"`describe` answered what is not JSON: {exc}") from None
    if not isinstance(answer, dict):
        raise Refusal("`describe` must answer an object with `tools`")
    return Description(
        _tools(answer.get("tools")),
        _names(answer, "events", "on_event", module),
        _names(answer, "hooks", "on_hook", module),
    )


def _tools(tools: Any) -> list[dict[str, Any]]:
    if not isinstance(tools, list):
        raise Refusal("`describe` must answer an object whose `tools` is an array")
    for place, tool in enumerate(tools):
        _check_tool(tool, f"$.tools[{place}] of `describe`")
    return tools


def _check_tool(tool: Any, where: str) -> None:
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        raise Refusal(f"{where} must be an object with a `name`")
    where = f"{where} ({tool['name']})"
    if not isinstance(tool.get("description"), str):
        raise Refusal(f"{where} must have a `description`")
    if not isinstance(tool.get("inputSchema"), dict):
        raise Refusal(f"{where} must have an `inputSchema`, an object")
    if not isinstance(tool.get("outputSchema", {}), dict):
        raise Refusal(f"{where} has an `outputSchema` that is no object")
    # Null says nothing here: some languages write it for what is left out.
    if not isinstance(tool.get("title"), str | None):
        raise Refusal(f"{where} has a `title` that is no string")
    if not isinstance(tool.get("annotations"), dict | None):
        raise Refusal(f"{where} has `annotations` that are no object")


def _names(answer: dict[str, Any], key: str, export: str, module: GuestModule) -> list[str]:
    names = answer.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refusal(f"$.{key} of `describe` must be an array of names")
    if names and export not in module.exports:
        raise Refusal(f"`describe` lists {key}, but `{export}` is not exported")
    return names
