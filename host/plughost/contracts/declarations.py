"""What a plugin declares about itself, as values; each name is the one in plugin.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import attrs

__all__ = [
    "Channel",
    "HttpPermission",
    "Listing",
    "LlmPermission",
    "Manifest",
    "NodeSection",
    "Permissions",
    "PythonSection",
    "ResourceLimits",
    "Restart",
    "RulesSection",
    "Runtime",
    "SharedPermission",
]

Runtime = Literal["python", "node", "lua", "wasm", "exec", "mcp"]


@attrs.frozen(kw_only=True)
class ResourceLimits:
    """What the plugin's processes may use; the unit ends each name."""

    memory_mb: int = 256
    cpu_percent: int = 100
    processes: int = 16
    open_files: int = 256
    call_timeout_s: float = 30.0
    start_timeout_s: float = 10.0
    watchdog_s: float = 30.0
    idle_stop_s: float = 0.0
    max_message_mb: int = 4


@attrs.frozen(kw_only=True)
class Restart:
    """When a plugin that ended is started again."""

    policy: Literal["on-failure", "never", "always"] = "on-failure"
    max: int = 5
    window_s: float = 60.0


@attrs.frozen(kw_only=True)
class HttpPermission:
    """One group of hosts that ``ctx.http`` may reach."""

    hosts: tuple[str, ...]
    methods: tuple[str, ...] = ("GET",)
    secrets: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class LlmPermission:
    """What ``ctx.llm`` may spend."""

    tokens_per_day: int


@attrs.frozen(kw_only=True)
class SharedPermission:
    """Keys of the state that plugins share."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Permissions:
    """What the plugin asks for; the operator grants.

    Attributes:
        sockets: False, or ``internet``: real sockets.
        llm: None if the plugin does not ask for models.
    """

    fs_read: tuple[str, ...] = ()
    fs_write: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    subprocess: bool = False
    sockets: Literal[False, "internet"] = False
    call: tuple[str, ...] = ()
    shared: SharedPermission = SharedPermission()
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    state: bool = False
    llm: LlmPermission | None = None
    http: tuple[HttpPermission, ...] = ()


@attrs.frozen(kw_only=True)
class PythonSection:
    """``[python]``: where the plugin's own dependencies are."""

    venv: str | None = None


@attrs.frozen(kw_only=True)
class NodeSection:
    """``[node]``: where the plugin's own packages are."""

    node_modules: str = "node_modules"


@attrs.frozen(kw_only=True)
class RulesSection:
    """``[rules]``: rules the plugin brings."""

    files: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Channel:
    """``[channel]``: the chat platform that a channel adapter speaks for."""

    name: str


@attrs.frozen(kw_only=True)
class Listing:
    """``[listing]``: shown in catalogues, unused otherwise."""

    license: str = ""
    homepage: str = ""
    tags: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Manifest:
    """One plugin, as its author declared it.

    Attributes:
        entry: For python, node, lua and wasm; relative to `folder`, inside it.
        command: For exec and mcp; empty otherwise.
        dependencies: Version ranges by plugin name.
        settings: The JSON Schema of the plugin's settings; empty if it has none.
        folder: Where plugin.toml is; not part of the file.
        digest: SHA-256 of the file's bytes, in hex; grants are bound to it.
    """

    name: str
    version: str
    runtime: Runtime
    description: str = ""
    entry: str | None = None
    command: tuple[str, ...] = ()
    security_level: Literal["sandbox", "trusted", "dev-only"] = "sandbox"
    concurrency: int = 32
    start: Literal["eager", "lazy"] = "eager"
    dependencies: dict[str, str] = attrs.field(factory=dict)
    resource_limits: ResourceLimits = ResourceLimits()
    restart: Restart = Restart()
    permissions: Permissions = Permissions()
    python: PythonSection = PythonSection()
    node: NodeSection = NodeSection()
    rules: RulesSection = RulesSection()
    settings: dict[str, Any] = attrs.field(factory=dict)
    channel: Channel | None = None
    listing: Listing = Listing()
    folder: Path = Path()
    digest: str = ""
