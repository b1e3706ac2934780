"""Finds plugin folders and reads their manifests; starts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

import attrs

from plughost.contracts.manifest import Manifest, load_manifest
from plughost.errors import ConfigError, ManifestError, PlughostError
from plughost.resources import share_dir

__all__ = ["ENTRY_POINT_GROUP", "Discovery", "Source", "discover", "standard_sources"]

ENTRY_POINT_GROUP: Final = "plughost.plugins"
MANIFEST: Final = "plugin.toml"


@attrs.frozen
class Source:
    """A place to look for plugins.

    Attributes:
        path: A plugin's folder, or a folder of plugins' folders.
        origin: Who named it, for messages.
        must_exist: Whether its absence is a problem.
        shadowable: Whether a plugin of the same name elsewhere is no problem.
    """

    path: Path
    origin: str
    must_exist: bool = True
    shadowable: bool = False


@attrs.frozen
class Discovery:
    """What was found.

    Attributes:
        manifests: By name, in the order of the sources.
        broken: Why a plugin cannot be used, by the name of its folder.
        problems: Everything a person should be told, `broken` included.
    """

    manifests: dict[str, Manifest]
    broken: dict[str, PlughostError]
    problems: tuple[PlughostError, ...]


def standard_sources(
    directories: Iterable[str | Path], *, home: Path, first_party: bool = True
) -> list[Source]:
    """Return where a host looks: given directories, the user's, installed ones, ours."""
    sources = [Source(Path(each), "given directory") for each in directories]
    user_folder = home / ".plughost" / "plugins"
    sources.append(Source(user_folder, "user's plugins", must_exist=False))
    sources += [_installed(each) for each in entry_points(group=ENTRY_POINT_GROUP)]
    if first_party:
        sources.append(Source(share_dir() / "plugins", "first-party plugins", shadowable=True))
    return sources


def discover(sources: Sequence[Source]) -> Discovery:
    """Read every manifest below *sources*; the first of a name wins."""
    manifests: dict[str, Manifest] = {}
    broken: dict[str, PlughostError] = {}
    problems: list[PlughostError] = []
    seen: set[Path] = set()
    for source in sources:
        try:
            folders = _folders(source)
        except ConfigError as exc:
            problems.append(exc)
            continue
        for folder in folders:
            if folder.resolve() in seen:
                continue
            seen.add(folder.resolve())
            try:
                _add(load_manifest(folder / MANIFEST), source, manifests)
            except ManifestError as exc:
                problems.append(exc)
                broken.setdefault(folder.name, exc)
    for name in manifests:
        broken.pop(name, None)
    return Discovery(manifests, broken, tuple(problems))


def _add(manifest: Manifest, source: Source, manifests: dict[str, Manifest]) -> None:
    first = manifests.setdefault(manifest.name, manifest)
    if first is manifest or source.shadowable:
        return
    raise ManifestError(
        f"the name {manifest.name!r} is used twice: by {first.folder / MANIFEST} "
        f"and by {manifest.folder / MANIFEST}; the first one is used",
        hint=f"Rename the plugin in {manifest.folder / MANIFEST}, or remove one of them.",
        path=str(manifest.folder / MANIFEST),
    )


def _folders(source: Source) -> list[Path]:
    """Return the plugin folders at *source*, in order of name."""
    # Absolute: a child starts in its plugin's folder, where a relative path means another.
    path = source.path.expanduser().absolute()
    if (path / MANIFEST).is_file():
        return [path]
    if not path.is_dir():
        if not source.must_exist:
            return []
        what = "is not a folder" if path.exists() else "does not exist"
        raise ConfigError(
            f"the plugin folder {path} ({source.origin}) {what}",
            hint="Name a folder that holds a plugin.toml, or folders that do.",
            path=str(path),
        )
    return sorted(each.parent for each in path.glob(f"*/{MANIFEST}"))


def _installed(entry_point: EntryPoint) -> Source:
    """Return the folder that a distribution names: a module, or a path in one.

    The value is ``package`` or ``package:attribute``; a package stands for its
    own folder, an attribute holds a path.
    """
    try:
        loaded = entry_point.load()
    except Exception as exc:  # noqa: BLE001 - any installed package may break while imported
        missing = Path(f"<entry point {entry_point.name}: {exc}>")
        return Source(missing, f"entry point {entry_point.name!r}")
    files = getattr(loaded, "__file__", None)
    folder = Path(files).parent if files else Path(str(loaded))
    return Source(folder, f"entry point {entry_point.name!r}")
