"""What does this plugin.toml declare, and if it cannot be used, what is wrong with it?

contracts/plugin-manifest.schema.json decides what is valid.  This module adds what
no schema can say: version ranges, the settings' own schema, and whether the entry
is a file of the plugin's folder.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import attrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter

from plughost.contracts.checking.words import Problem, shorten
from plughost.contracts.declarations import (
    Channel,
    HttpPermission,
    Listing,
    LlmPermission,
    Manifest,
    NodeSection,
    Permissions,
    PythonSection,
    ResourceLimits,
    Restart,
    RulesSection,
    Runtime,
    SharedPermission,
)
from plughost.contracts.documents import Document, complain, not_json, read_toml
from plughost.contracts.schema import Schema, SchemaRefusedError
from plughost.contracts.versions import RangeError, check_range
from plughost.errors import ManifestError
from plughost.resources import share_dir

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
    "load_manifest",
    "manifest_schema",
    "parse_manifest",
    "to_document",
]

# Node's heap starts at 47 MB of private memory, and JIT code and buffers come on top.
_NODE_MEMORY_MB: Final = 512

_MAX_PORT: Final = 65535  # RFC 793: 16 bits

_LISTED_FILES: Final = 1000  # looked through for a name like the missing entry's


def load_manifest(path: Path) -> Manifest:
    """Return what the file at *path* declares, and check that its entry is there.

    Raises:
        ManifestError: The file cannot be read or used; *facts* lists every problem.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        # Reading a FIFO would wait for a writer for ever.
        raise ManifestError(
            f"{path} is not a regular file",
            hint="Put a text file in its place.",
            path=str(path),
        )
    try:
        data = path.read_bytes()
    except IsADirectoryError as error:
        raise ManifestError(
            f"{path} is a folder, not a manifest",
            hint=f"Name the file: {path / 'plugin.toml'}.",
            path=str(path),
        ) from error
    except OSError as error:
        raise ManifestError(
            f"{path} cannot be read: {error.strerror}",
            hint="A plugin is a folder with a plugin.toml.",
            path=str(path),
        ) from error
    document = read_toml(data, str(path), error=ManifestError)
    problems = [*_problems(document), *_entry_problems(document, path.parent)]
    return _build(document, problems, data, path.parent)


def parse_manifest(text: bytes, where: str) -> Manifest:
    """Return what *text* declares, without looking at any file.

    Args:
        text: The bytes of a plugin.toml.
        where: Its name, for messages; its parent becomes `Manifest.folder`.

    Raises:
        ManifestError: *text* cannot be used; *facts* lists every problem.
    """
    document = read_toml(text, where, error=ManifestError)
    return _build(document, list(_problems(document)), text, Path(where).parent)


@cache
def manifest_schema() -> Schema:
    """Return the compiled contracts/plugin-manifest.schema.json."""
    path = share_dir() / "contracts" / "plugin-manifest.schema.json"
    return Schema(json.loads(path.read_bytes()), own=True)


def to_document(manifest: Manifest) -> dict[str, Any]:
    """Return *manifest* as the values of a plugin.toml that declares the same."""
    document: dict[str, Any] = _converter.unstructure(manifest)
    return document


def _build(document: Document, problems: list[Problem], data: bytes, folder: Path) -> Manifest:
    if problems:
        raise complain(document, problems, error=ManifestError, what="a valid manifest")
    values = dict(document.values)
    if values["runtime"] == "node":
        values["resource_limits"] = {
            "memory_mb": _NODE_MEMORY_MB,
            **values.get("resource_limits", {}),
        }
    manifest = _converter.structure(values, Manifest)
    return attrs.evolve(manifest, folder=folder, digest=hashlib.sha256(data).hexdigest())


def _problems(document: Document) -> Iterator[Problem]:
    """Yield everything that is wrong with the text alone."""
    values = document.values
    said = [*not_json(values), *manifest_schema().problems(values)]
    yield from said
    places = {problem.where for problem in said}
    for problem in (
        *_dependency_problems(values),
        *_settings_problems(values.get("settings")),
        *_port_problems(values.get("permissions")),
    ):
        if problem.where not in places:
            yield problem


def _dependency_problems(values: dict[str, Any]) -> Iterator[Problem]:
    dependencies = values.get("dependencies")
    for name, wanted in dependencies.items() if isinstance(dependencies, dict) else ():
        where = ("dependencies", name)
        if name == values.get("name"):
            yield Problem(where, "is this plugin itself")
        if isinstance(wanted, str):
            try:
                check_range(wanted)
            except RangeError as error:
                yield Problem(where, str(error))


def _settings_problems(settings: Any) -> Iterator[Problem]:
    if not isinstance(settings, dict) or any(not_json(settings)):
        return  # said already
    try:
        schema = Schema(settings, what="settings")
    except SchemaRefusedError as error:
        yield Problem(("settings", *error.where), error.reason)
        return
    defaults = {
        name: part["default"]
        for name, part in settings.get("properties", {}).items()
        if isinstance(part, dict) and "default" in part
    }
    for problem in schema.problems(defaults):
        if problem.where:  # the others are about settings that have no default
            where = ("settings", "properties", problem.where[0], "default", *problem.where[1:])
            yield Problem(where, f"the default does not fit its own schema: {problem.message}")
    for problem in schema.unchecked:
        yield Problem(("settings", *problem.where), problem.message)


def _port_problems(permissions: Any) -> Iterator[Problem]:
    groups = permissions.get("http") if isinstance(permissions, dict) else None
    for index, group in enumerate(groups if isinstance(groups, list) else ()):
        hosts = group.get("hosts") if isinstance(group, dict) else None
        for place, host in enumerate(hosts if isinstance(hosts, list) else ()):
            port = host.rpartition(":")[2] if isinstance(host, str) else ""
            if port.isdecimal() and len(port) <= 5 and int(port) > _MAX_PORT:  # noqa: PLR2004
                where = ("permissions", "http", index, "hosts", place)
                yield Problem(where, f"port {port} is above {_MAX_PORT}")


def _entry_problems(document: Document, folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with the entry as a file of *folder*."""
    entry = document.values.get("entry")
    if not isinstance(entry, str) or any(
        problem.where == ("entry",) for problem in manifest_schema().problems(document.values)
    ):
        return  # missing, or said already
    file = folder / entry
    try:
        inside = file.resolve().is_relative_to(folder.resolve())
        found = file.is_file()
    except OSError as error:
        yield Problem(("entry",), f"{shorten(entry)} cannot be read: {error.strerror}")
        return
    except RuntimeError:  # resolve() of Python 3.11 and 3.12; later ones raise OSError
        yield Problem(("entry",), f"{shorten(entry)} is a circle of links")
        return
    if not inside:
        yield Problem(("entry",), f"{shorten(entry)} is a link that leads out of {folder}")
    elif not found:
        what = "is not a file" if file.exists() else "is not there"
        yield Problem(("entry",), f"{file} {what}{_like(file)}")


def _like(file: Path) -> str:
    """Return ``; did you mean …?`` for the files beside *file* that are named like it."""
    try:
        names = [
            path.name for path, _ in zip(file.parent.iterdir(), range(_LISTED_FILES), strict=False)
        ]
    except OSError:
        return f"; there is no folder {file.parent}"
    close = difflib.get_close_matches(file.name, sorted(names), n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


# --- classes from and to documents; the schema has decided already that they fit ---

_converter: Final = make_converter(forbid_extra_keys=True)

# `folder` and `digest` are not part of the file.
_converter.register_structure_hook(
    Manifest,
    make_dict_structure_fn(
        Manifest,
        _converter,
        _cattrs_forbid_extra_keys=True,
        folder=override(omit=True),
        digest=override(omit=True),
    ),
)
for _cls in (HttpPermission, Permissions, PythonSection):
    _converter.register_unstructure_hook(
        _cls, make_dict_unstructure_fn(_cls, _converter, _cattrs_omit_if_default=True)
    )
_converter.register_unstructure_hook(
    Manifest,
    make_dict_unstructure_fn(
        Manifest,
        _converter,
        _cattrs_omit_if_default=True,
        # 256 MiB is no default for node, so limits are always written.
        resource_limits=override(omit_if_default=False),
        folder=override(omit=True),
        digest=override(omit=True),
    ),
)
