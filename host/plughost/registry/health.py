"""How a plugin is: one record, read without touching the plugin's code."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs
import psutil
import trio

from plughost.supervisor.plugin import Plugin

__all__ = ["Health", "Vitals", "health_of"]

# What is active around every plugin today; the sandbox adds to it.
_GUARDS: Final = (
    "own-process",
    "environment-allow-list",
    "rlimit-data",
    "rlimit-nofile",
    "rlimit-fsize",
    "rlimit-core",
    "deadline",
    "tree-kill",
)


@attrs.frozen(kw_only=True)
class Health:
    """One plugin's record; the names are those of ``GET /v1/plugins``.

    Attributes:
        reason: Why it is in this state, in words; empty while all is well.
        latency_ms: ``p50``, ``p95``, ``p99`` of answered calls; None before the first.
        rss_bytes: Resident memory of its first process; None if it does not run.
        cpu_percent: Of one core, since the last look.
    """

    name: str
    version: str
    description: str
    runtime: str
    state: str
    reason: str
    security_level: str
    guards: tuple[str, ...]
    limits: dict[str, Any]
    folder: str
    pid: int | None
    uptime_seconds: float | None
    success_count: int
    error_count: int
    restart_count: int
    consecutive_failures: int
    last_error: dict[str, Any] | None
    retry_after_s: float | None
    in_flight: int
    queued: int
    latency_ms: dict[str, float | None]
    rss_bytes: int | None
    cpu_percent: float | None
    generation: int

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return attrs.asdict(self)


@attrs.define
class Vitals:
    """Process figures of a host's plugins; psutil needs the last look to tell a rate."""

    _processes: dict[int, psutil.Process] = attrs.field(factory=dict)

    def look(self, pid: int | None) -> tuple[int | None, float | None]:
        """Return resident bytes and CPU percent of *pid*, or Nones."""
        if pid is None:
            return None, None
        with suppress(psutil.Error):
            process = self._processes.get(pid)
            if process is None:
                self._processes = {
                    known: each for known, each in self._processes.items() if each.is_running()
                }
                process = self._processes[pid] = psutil.Process(pid)
            with process.oneshot():
                return process.memory_info().rss, process.cpu_percent()
        return None, None


def health_of(plugin: Plugin, vitals: Vitals) -> Health:
    """Return the record of *plugin* as it is now."""
    manifest, stats, life = plugin.manifest, plugin.stats, plugin.life
    connection = plugin.connection
    pid = life.pid if life is not None else None
    rss_bytes, cpu_percent = vitals.look(pid)
    now = trio.current_time()
    limits = manifest.resource_limits
    return Health(
        name=manifest.name,
        version=manifest.version,
        description=manifest.description,
        runtime=manifest.runtime,
        state=str(plugin.state),
        reason=plugin.lifecycle.reason,
        security_level=manifest.security_level,
        guards=_GUARDS,
        limits={
            "memory_mb": limits.memory_mb,
            "open_files": limits.open_files,
            "call_timeout_s": limits.call_timeout_s,
            "max_message_mb": limits.max_message_mb,
            "concurrency": manifest.concurrency,
        },
        folder=str(Path(manifest.folder).absolute()),
        pid=pid,
        uptime_seconds=round(now - life.started_at, 3) if life is not None else None,
        success_count=stats.success_count,
        error_count=stats.error_count,
        restart_count=stats.restart_count,
        consecutive_failures=stats.consecutive_failures,
        last_error=stats.last_error,
        retry_after_s=None
        if plugin.retry_at is None
        else round(max(0.0, plugin.retry_at - now), 3),
        in_flight=connection.slots.in_flight if connection is not None else 0,
        queued=connection.slots.queued if connection is not None else 0,
        latency_ms={
            name: stats.latency.percentile_ms(share)
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        },
        rss_bytes=rss_bytes,
        cpu_percent=cpu_percent,
        generation=plugin.generation,
    )
