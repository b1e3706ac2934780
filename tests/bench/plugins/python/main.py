"""An echo with one string parameter."""

from __future__ import annotations

from plughost_sdk import Plugin

plugin = Plugin()


@plugin.tool
def echo(text: str) -> dict[str, str]:
    """Return the text."""
    return {"text": text}


plugin.run()
