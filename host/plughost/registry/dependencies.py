"""Which plugins can start, and after which others.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from plughost.contracts.manifest import Manifest
from plughost.contracts.versions import satisfies

__all__ = ["unmet_dependencies"]


def unmet_dependencies(manifests: Mapping[str, Manifest]) -> dict[str, str]:
    """Return why plugins cannot start, by name; those that can are not in it.

    A plugin whose dependency is missing, too old, part of a cycle, or itself
    not startable, is not startable; all others are not touched by it.
    """
    reasons: dict[str, str] = {}
    for name, manifest in manifests.items():
        reason = _own_reason(manifest, manifests)
        if reason:
            reasons[name] = reason
    for cycle in _cycles(manifests):
        path = " needs ".join([*cycle, cycle[0]])
        for name in cycle:
            reasons.setdefault(name, f"it is part of a cycle: {path}")
    _spread(manifests, reasons)
    return reasons


def _own_reason(manifest: Manifest, manifests: Mapping[str, Manifest]) -> str:
    for needed, wanted in manifest.dependencies.items():
        found = manifests.get(needed)
        if found is None:
            return f"it needs the plugin {needed} {wanted}, which is not there"
        if not satisfies(found.version, wanted):
            return f"it needs {needed} {wanted}, and {found.version} is there"
    return ""


def _cycles(manifests: Mapping[str, Manifest]) -> list[list[str]]:
    """Return the cycles among *manifests*, each once."""
    graph = {
        name: {needed for needed in manifest.dependencies if needed in manifests}
        for name, manifest in manifests.items()
    }
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as exc:
            # graphlib lists a cycle against the direction of "needs".
            cycle = list(reversed(exc.args[1]))[:-1]
            found.append(cycle)
            graph[cycle[0]] -= {cycle[1 % len(cycle)]}
        else:
            return found


def _spread(manifests: Mapping[str, Manifest], reasons: dict[str, str]) -> None:
    """Mark the plugins that need one that cannot start."""
    spreading = True
    while spreading:
        spreading = False
        for name, manifest in manifests.items():
            blocked = [needed for needed in manifest.dependencies if needed in reasons]
            if blocked and name not in reasons:
                reasons[name] = f"it needs {blocked[0]}, which cannot start: {reasons[blocked[0]]}"
                spreading = True
