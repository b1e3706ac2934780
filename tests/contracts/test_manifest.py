from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from plughost.contracts.manifest import (
    HttpPermission,
    LlmPermission,
    Manifest,
    PythonSection,
    load_manifest,
    manifest_schema,
    parse_manifest,
)
from plughost.errors import ManifestError
from plughost.resources import share_dir

SMALLEST = b'name = "p"\nversion = "1.0.0"\nruntime = "python"\nentry = "main.py"\n'
INVALID = sorted((Path(__file__).parent / "invalid").glob("*.toml"))


def problems_of(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text.encode(), "plugin.toml")
    return str(caught.value)


def write_plugin(folder: Path, entry: str = "main.py") -> Path:
    path = folder / "plugin.toml"
    path.write_bytes(SMALLEST.replace(b"main.py", entry.encode()))
    return path


def test_the_full_example_is_read_as_it_is_written() -> None:
    path = Path(__file__).parent / "valid" / "full.toml"

    manifest = load_manifest_text(path)

    assert manifest.name == "text-tools"
    assert manifest.runtime == "node"
    assert manifest.entry == "main.mjs"
    assert manifest.dependencies == {"unit-convert": ">=1.0,<2"}
    assert manifest.resource_limits.memory_mb == 256
    assert manifest.resource_limits.call_timeout_s == 30.0
    assert manifest.permissions.call == ("unit-convert.*",)
    assert manifest.permissions.llm == LlmPermission(tokens_per_day=20000)
    assert manifest.permissions.http == (
        HttpPermission(
            hosts=("api.example.com:443",),
            methods=("GET",),
            secrets={"Authorization": "Bearer ${secret:EXAMPLE_TOKEN}"},
        ),
    )
    assert manifest.settings["properties"]["language"]["default"] == "en"
    assert manifest.channel is not None
    assert manifest.channel.name == "mock"
    assert manifest.folder == path.parent
    assert manifest.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def load_manifest_text(path: Path) -> Manifest:
    return parse_manifest(path.read_bytes(), str(path))


def test_the_smallest_manifest_has_the_documented_defaults() -> None:
    manifest = parse_manifest(SMALLEST, "plugin.toml")

    document = manifest_schema().document
    limits = document["$defs"]["resource_limits"]["properties"]
    documented = {name: part["default"] for name, part in limits.items() if "default" in part}
    assert {name: getattr(manifest.resource_limits, name) for name in documented} == documented
    assert manifest.resource_limits.memory_mb == 256
    for name in ("description", "security_level", "concurrency", "start"):
        assert getattr(manifest, name) == document["properties"][name]["default"]
    assert manifest.python == PythonSection(venv=None)
    assert manifest.permissions.sockets is False
    assert manifest.command == ()


def test_node_gets_the_memory_it_needs_unless_the_manifest_says_otherwise() -> None:
    node = SMALLEST.replace(b'"python"', b'"node"')

    assert parse_manifest(node, "plugin.toml").resource_limits.memory_mb == 512
    some = node + b"[resource_limits]\nmemory_mb = 200\n"
    assert parse_manifest(some, "plugin.toml").resource_limits.memory_mb == 200


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_manifest_is_refused_with_every_place_in_words(path: Path) -> None:
    """Each file says in its first comments which problems it has: line, path, words."""
    text = path.read_text(encoding="utf-8")
    expected = [line[2:] for line in text.split("\n") if line.startswith("# line ")]

    with pytest.raises(ManifestError) as caught:
        parse_manifest(path.read_bytes(), path.name)

    head, *told = str(caught.value).split("\n  ")
    assert head == f"{path.name} is not a valid manifest:"
    assert told == expected
    assert len(expected) == len(caught.value.facts["problems"])  # type: ignore[arg-type]  # a list


def test_there_are_invalid_manifests() -> None:
    assert len(INVALID) >= 30


def test_load_manifest_finds_the_entry(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()

    assert load_manifest(write_plugin(tmp_path)).folder == tmp_path


def test_a_missing_manifest_says_what_a_plugin_is(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file or directory") as caught:
        load_manifest(tmp_path / "plugin.toml")

    assert caught.value.hint == "A plugin is a folder with a plugin.toml."


def test_a_folder_is_told_from_the_manifest_in_it(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is a folder, not a manifest") as caught:
        load_manifest(tmp_path)

    assert caught.value.hint == f"Name the file: {tmp_path / 'plugin.toml'}."


def test_a_missing_entry_is_told_with_the_files_named_like_it(tmp_path: Path) -> None:
    (tmp_path / "mian.py").touch()
    (tmp_path / "README.md").touch()

    with pytest.raises(ManifestError) as caught:
        load_manifest(write_plugin(tmp_path))

    assert f"line 4, $.entry: {tmp_path}/main.py is not there; did you mean 'mian.py'?" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("nothing-like-it.py", "nothing-like-it.py is not there"),
        ("src/main.py", "src/main.py is not there; there is no folder"),
        ("folder", "folder is not a file"),
    ],
)
def test_an_entry_that_is_no_file_is_refused(tmp_path: Path, entry: str, words: str) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(ManifestError) as caught:
        load_manifest(write_plugin(tmp_path, entry))

    assert words in str(caught.value)


def test_an_entry_that_links_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    folder.mkdir()
    (tmp_path / "outside.py").touch()
    (folder / "main.py").symlink_to("../outside.py")

    with pytest.raises(ManifestError, match="is a link that leads out of"):
        load_manifest(write_plugin(folder))


def test_an_entry_behind_a_folder_that_links_out_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    folder.mkdir()
    (tmp_path / "main.py").touch()
    (folder / "up").symlink_to("..")

    with pytest.raises(ManifestError, match="leads out of"):
        load_manifest(write_plugin(folder, "up/main.py"))


def test_a_plugin_whose_folder_is_itself_a_link_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "main.py").touch()
    write_plugin(folder)
    (tmp_path / "link").symlink_to("real")

    assert load_manifest(tmp_path / "link" / "plugin.toml").folder == tmp_path / "link"


def test_an_entry_in_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.py").symlink_to("main.py")

    with pytest.raises(ManifestError, match=r"circle of links|Too many levels"):
        load_manifest(write_plugin(tmp_path))


def test_a_name_too_long_for_the_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read: File name too long"):
        load_manifest(write_plugin(tmp_path, "a" * 300))


def test_an_entry_that_is_wrong_anyway_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        load_manifest(write_plugin(tmp_path, "../main.py"))

    assert str(caught.value).count("$.entry") == 1


def test_a_pipe_is_no_entry(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "main.py")

    with pytest.raises(ManifestError, match="is not a file"):
        load_manifest(write_plugin(tmp_path))


def test_a_number_too_long_to_show_is_told_and_not_shown() -> None:
    text = SMALLEST.decode() + "concurrency = 0x" + "f" * 9999

    assert "line 5, $.concurrency: is an integer too large for JSON" in problems_of(text)


def test_an_error_says_what_to_do_next() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(b"", "plugin.toml")

    assert caught.value.hint == "Correct plugin.toml; each line above names the place."
    assert caught.value.exit_status == 65


def test_first_party_plugins_are_valid() -> None:
    for path in sorted((share_dir() / "plugins").glob("*/plugin.toml")):
        assert parse_manifest(path.read_bytes(), str(path)).name == path.parent.name


def test_every_pattern_of_the_schema_runs_in_linear_time() -> None:
    assert manifest_schema().unchecked == ()


def test_a_fifo_in_a_manifests_place_is_refused_without_waiting_for_a_writer(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "plugin.toml")

    with pytest.raises(ManifestError, match="is not a regular file"):
        load_manifest(tmp_path / "plugin.toml")
