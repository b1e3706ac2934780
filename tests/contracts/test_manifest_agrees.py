"""The JSON Schema and the classes describe the same documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plughost.contracts.manifest import (
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
    SharedPermission,
    manifest_schema,
    parse_manifest,
    to_document,
)

names = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
topics = st.from_regex(r"[a-z][a-z0-9_]{0,6}(\.[a-z0-9_]{1,6}){0,2}", fullmatch=True)
files = st.from_regex(r"[a-z]{1,6}(/[a-z]{1,6}){0,2}\.wasm", fullmatch=True)


def several(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(strategy, max_size=3, unique=True).map(tuple)


limits = st.builds(
    ResourceLimits,
    memory_mb=st.integers(96, 65536),
    cpu_percent=st.integers(1, 6400),
    processes=st.integers(1, 4096),
    open_files=st.integers(32, 65536),
    call_timeout_s=st.floats(0.01, 600),
    start_timeout_s=st.floats(0.1, 60),
    watchdog_s=st.floats(0.5, 3600),
    idle_stop_s=st.floats(0, 604800),
    max_message_mb=st.integers(1, 64),
)
http = st.builds(
    HttpPermission,
    hosts=st.lists(
        st.sampled_from(["a.example:443", "*.b.example", "[::1]:8080"]), min_size=1, unique=True
    ).map(tuple),
    methods=st.just(("GET", "POST")),
    secrets=st.just({"X-Key": "${secret:KEY}"}),
)
permissions = st.builds(
    Permissions,
    fs_read=several(st.sampled_from(["data", "/srv/data", "."])),
    fs_write=several(st.sampled_from(["out", "/srv/out"])),
    env=several(st.sampled_from(["TZ", "HTTP_PROXY"])),
    subprocess=st.booleans(),
    sockets=st.just(False),
    call=several(st.sampled_from(["*.*", "a-b.c_d", "a.*"])),
    shared=st.builds(SharedPermission, read=several(topics), write=several(topics)),
    publish=several(topics),
    subscribe=several(topics.map("{}.*".format)),
    hooks=several(topics),
    state=st.booleans(),
    llm=st.none() | st.builds(LlmPermission, tokens_per_day=st.integers(1, 10**12)),
    http=st.lists(http, max_size=2).map(tuple),
)
common: dict[str, Any] = {
    "name": names.map("own-{}".format),
    "version": st.sampled_from(["0.0.1", "1.2.3-rc.1", "10.0.0+build"]),
    "description": st.text(alphabet="words .", max_size=20),
    "security_level": st.sampled_from(["sandbox", "trusted", "dev-only"]),
    "concurrency": st.integers(1, 1024),
    "start": st.sampled_from(["eager", "lazy"]),
    "dependencies": st.dictionaries(names, st.sampled_from(["^1.0", ">=1,<2", "*"]), max_size=2),
    "resource_limits": limits,
    "restart": st.builds(
        Restart,
        policy=st.sampled_from(["on-failure", "never", "always"]),
        max=st.integers(0, 1000),
        window_s=st.floats(1, 86400),
    ),
    "permissions": permissions,
    "rules": st.builds(RulesSection, files=several(st.sampled_from(["rules/*.toml", "r.toml"]))),
    "settings": st.sampled_from(
        [{}, {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}]
    ),
    "channel": st.none() | st.builds(Channel, name=names),
    "listing": st.builds(
        Listing,
        license=st.sampled_from(["", "MIT"]),
        homepage=st.sampled_from(["", "https://example.com/a?b#c"]),
        tags=several(names),
    ),
}
manifests = st.one_of(
    st.builds(
        Manifest,
        runtime=st.just("python"),
        entry=files,
        python=st.builds(PythonSection, venv=st.sampled_from([None, ".venv"])),
        **common,
    ),
    st.builds(
        Manifest,
        runtime=st.just("node"),
        entry=files,
        node=st.builds(
            NodeSection, node_modules=st.sampled_from(["node_modules", "lib/node_modules"])
        ),
        **common,
    ),
    st.builds(Manifest, runtime=st.sampled_from(["lua", "wasm"]), entry=files, **common),
    st.builds(
        Manifest,
        runtime=st.sampled_from(["exec", "mcp"]),
        command=st.lists(st.sampled_from(["npx", "-y", "some server"]), min_size=1).map(tuple),
        **common,
    ),
)


def write_toml(document: dict[str, Any]) -> str:
    """Write each top-level key on a line: JSON's scalars and lists are TOML's too."""

    def write(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ",".join(f"{json.dumps(k)}={write(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(write, value)) + "]"
        return json.dumps(value, ensure_ascii=False)

    return "".join(f"{key} = {write(value)}\n" for key, value in document.items())


@settings(suppress_health_check=[HealthCheck.too_slow])  # a manifest has forty parts
@given(manifests)
def test_what_we_write_the_schema_accepts_and_we_read_back(manifest: Manifest) -> None:
    document = to_document(manifest)

    assert manifest_schema().problems(document) == []
    again = parse_manifest(write_toml(document).encode(), "plugin.toml")
    assert attrs.evolve(again, digest="") == manifest


def names_of(cls: type[attrs.AttrsInstance]) -> set[str]:
    return {field.name for field in attrs.fields(cls)}


def test_schema_and_classes_have_the_same_names() -> None:
    document = manifest_schema().document
    top, defs = document["properties"], document["$defs"]
    parts = defs["permissions"]["properties"]
    for cls, properties in (
        (ResourceLimits, defs["resource_limits"]["properties"]),
        (Restart, defs["restart"]["properties"]),
        (Permissions, parts),
        (SharedPermission, parts["shared"]["properties"]),
        (LlmPermission, parts["llm"]["properties"]),
        (HttpPermission, parts["http"]["items"]["properties"]),
        (PythonSection, top["python"]["properties"]),
        (NodeSection, top["node"]["properties"]),
        (RulesSection, top["rules"]["properties"]),
        (Channel, top["channel"]["properties"]),
        (Listing, top["listing"]["properties"]),
    ):
        assert names_of(cls) == set(properties), cls.__name__
    assert names_of(Manifest) - {"folder", "digest"} == set(top)


def schemas_in(part: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield path, part
        for key, value in part.items():
            yield from schemas_in(value, f"{path}.{key}")
    elif isinstance(part, list):
        for value in part:
            yield from schemas_in(value, path)


def test_every_pattern_is_worded() -> None:
    """A pattern tells a person nothing; the hint beside it does."""
    found = list(schemas_in(manifest_schema().document, "$"))
    elsewhere = (".not", ".if", ".properties")
    patterned = [
        part
        for path, part in found
        if {"pattern", "not"} & part.keys() and not path.endswith(elsewhere)
    ]

    assert len(patterned) > 20
    assert [part for part in patterned if "x-hint" not in part] == []


def properties_in(part: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property that a manifest can have, references followed."""
    for name, declared in part.get("properties", {}).items():
        found = declared
        if "$ref" in found:
            found = {**manifest_schema().document["$defs"][found["$ref"][8:]], **found}
        yield f"{path}.{name}", found
        if (path, name) != ("$", "settings"):
            yield from properties_in(found.get("items", found), f"{path}.{name}")


def test_every_key_is_described_and_every_table_is_closed() -> None:
    found = list(properties_in(dict(manifest_schema().document), "$"))

    assert len(found) > 50
    assert [path for path, part in found if "description" not in part] == []
    tables = [(path, part) for path, part in found if part.get("type") == "object"]
    assert [path for path, part in tables if "additionalProperties" not in part] == []
    assert [path for path, part in tables if part["additionalProperties"] is True] == ["$.settings"]
