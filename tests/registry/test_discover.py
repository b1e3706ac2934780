from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from plughost.errors import ConfigError, ManifestError
from plughost.registry.discover import Source, discover, standard_sources

MakePlugin = Callable[..., Path]


def test_a_folder_of_plugins_and_a_plugins_own_folder_are_both_found(
    make_plugin: MakePlugin, tmp_path: Path
) -> None:
    make_plugin("one")
    two = make_plugin("two")

    for path in (tmp_path / "plugins", two):
        assert "two" in discover([Source(path, "test")]).manifests
    both = discover([Source(tmp_path / "plugins", "test"), Source(two, "test")])
    assert list(both.manifests) == ["one", "two"]
    assert both.problems == ()


def test_a_broken_manifest_is_told_and_harms_no_other(
    make_plugin: MakePlugin, tmp_path: Path
) -> None:
    make_plugin("good")
    make_plugin("bad", manifest="concurency = 3\n")

    found = discover([Source(tmp_path / "plugins", "test")])

    assert list(found.manifests) == ["good"]
    (problem,) = found.problems
    assert isinstance(problem, ManifestError)
    assert "concurrency" in str(problem.facts)
    assert found.broken == {"bad": problem}


def test_a_name_used_twice_names_both_files_and_keeps_the_first(
    make_plugin: MakePlugin, tmp_path: Path
) -> None:
    first = make_plugin("one")
    second = tmp_path / "more" / "copy"
    second.parent.mkdir()
    first.rename(second)
    first = make_plugin("one")

    found = discover([Source(first.parent, "a"), Source(second.parent, "b")])

    assert found.manifests["one"].folder == first
    (problem,) = found.problems
    assert str(first / "plugin.toml") in str(problem)
    assert str(second / "plugin.toml") in str(problem)


def test_a_first_party_plugin_may_be_replaced_silently(
    make_plugin: MakePlugin, tmp_path: Path
) -> None:
    own = make_plugin("unit-convert")

    found = discover(standard_sources([own.parent], home=tmp_path))

    assert found.manifests["unit-convert"].folder == own
    assert found.problems == ()


def test_users_plugins_are_found_and_their_folder_may_be_absent(
    make_plugin: MakePlugin, tmp_path: Path
) -> None:
    assert discover(standard_sources([], home=tmp_path, first_party=False)).problems == ()

    (tmp_path / ".plughost").mkdir()
    make_plugin("mine").parent.rename(tmp_path / ".plughost" / "plugins")

    found = discover(standard_sources([], home=tmp_path, first_party=False))
    assert list(found.manifests) == ["mine"]


@pytest.mark.parametrize(
    ("name", "words"), [("absent", "does not exist"), ("file", "not a folder")]
)
def test_a_given_directory_that_is_not_there_is_a_problem(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "file").touch()

    (problem,) = discover([Source(tmp_path / name, "given directory")]).problems

    assert isinstance(problem, ConfigError)
    assert words in str(problem)


def test_installed_packages_may_bring_plugins(
    make_plugin: MakePlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_plugin("packaged")
    (folder / "__init__.py").touch()
    site = tmp_path / "site"
    (site / "packaged-1.dist-info").mkdir(parents=True)
    folder.rename(site / "packaged_plugin")
    (site / "packaged-1.dist-info" / "entry_points.txt").write_text(
        "[plughost.plugins]\npackaged = packaged_plugin\nbroken = no_such_module\n",
        encoding="utf-8",
    )
    (site / "packaged-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: packaged\nVersion: 1\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(site)

    found = discover(standard_sources([], home=tmp_path, first_party=False))

    assert found.manifests["packaged"].folder == site / "packaged_plugin"
    (problem,) = found.problems
    assert "no_such_module" in str(problem)
