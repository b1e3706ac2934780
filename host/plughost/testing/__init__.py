"""The test kit for plugin authors: a plugin in a real child process, inside your own test."""

from __future__ import annotations

from plughost.testing.kit import PluginUnderTest, call_tool, open_plugin

__all__ = ["PluginUnderTest", "call_tool", "open_plugin"]
