"""What does the operator grant with ``--grant KEY=VALUE``, and what follows from it?

A granted path is one of the person who typed it: relative to their folder,
while the plugin runs in its own.  So a granted path, and every argument that
names it or something below it, is handed on as an absolute one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs

from plughost.contracts.manifest import Manifest, Permissions
from plughost.errors import ConfigError

__all__ = ["PathGrant", "parse_grants", "resolve_paths"]

# What can be granted for one call today: the path that an argument names.
_PATHS: Final = ("fs_read", "fs_write")


@attrs.frozen
class PathGrant:
    """One path, as it was typed and as it is."""

    key: str
    text: str
    path: Path


def parse_grants(texts: Iterable[str], manifest: Manifest) -> list[PathGrant]:
    """Return the paths that *texts* grant to the plugin of *manifest*.

    Raises:
        ConfigError: A grant is misspelt, names nothing, or could have no effect.
    """
    return [_parse(text, manifest) for text in texts]


def resolve_paths(arguments: dict[str, Any], grants: Iterable[PathGrant]) -> dict[str, Any]:
    """Return *arguments* with the paths that *grants* cover made absolute."""
    resolved = dict(arguments)
    for grant in grants:
        below = grant.text.rstrip("/") + "/"
        for name, value in arguments.items():
            if isinstance(value, str) and (value == grant.text or value.startswith(below)):
                resolved[name] = str(Path(value).expanduser().absolute())
    return resolved


def _parse(text: str, manifest: Manifest) -> PathGrant:
    key, equals, value = text.partition("=")
    known = [field.name for field in attrs.fields(Permissions)]
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        raise ConfigError(
            f"--grant {text}: there is no permission {key!r}"
            + (f"; did you mean {close[0]!r}?" if close else ""),
            hint=f"Permissions are: {', '.join(known)}.",
            key=key,
        )
    if key not in _PATHS:
        raise ConfigError(
            f"--grant {text}: {key} cannot be granted for one call",
            hint=f"Leave it out: what {manifest.name}'s manifest asks for under {key} "
            "is neither widened nor narrowed by a grant.",
            key=key,
        )
    if not equals or not value:
        raise ConfigError(
            f"--grant {text}: no path is named", hint=f"Write it as --grant {key}=PATH.", key=key
        )
    return PathGrant(key, value, _existing(text, value, key))


def _existing(text: str, value: str, key: str) -> Path:
    path = Path(value).expanduser().absolute()
    # A file that is to be written need not be there; its folder must.
    needed = path if key == "fs_read" else path.parent
    if not needed.exists():
        what = "file or folder" if needed is path else "folder"
        raise ConfigError(
            f"--grant {text}: there is no {what} {needed}",
            hint="Name a path as it is seen from the current folder.",
            path=str(needed),
        )
    return path
