"""Whom does the gateway ask?  The host, once it is there and until it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from plughost.errors import HostStoppingError, PluginUnavailableError
from plughost.registry.catalog import CatalogEntry
from plughost.registry.health import Health

__all__ = ["HostView", "Lobby"]


class HostView(Protocol):
    """What the gateway wants from a host; `plughost.host.Host` has it."""

    def plugins(self) -> list[Health]: ...

    def health(self, name: str) -> Health: ...

    def tools(self, plugin: str | None = None) -> Sequence[CatalogEntry]: ...


@attrs.define
class Lobby:
    """Where requests wait for a host that is not ready yet.

    Attributes:
        host: Set when every eager plugin is ready or given up.
        closing: Set when the host takes no more requests.
    """

    host: HostView | None = None
    closing: bool = False

    def admit(self) -> HostView:
        """Return the host.

        Raises:
            PluginUnavailableError: Its plugins are still starting.
            HostStoppingError: It is on its way out.
        """
        if self.closing:
            raise HostStoppingError("the host is stopping", hint="Ask again when it is back.")
        if self.host is None:
            raise PluginUnavailableError(
                "the host is starting its plugins", hint="Ask again when /readyz answers 200."
            )
        return self.host
