from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plughost.contracts.manifest import Manifest
from plughost.registry.dependencies import unmet_dependencies


def manifests(**needs: dict[str, str]) -> dict[str, Manifest]:
    return {
        name: Manifest(
            name=name, version="1.2.0", runtime="exec", command=("x",), dependencies=dependencies
        )
        for name, dependencies in needs.items()
    }


def test_met_dependencies_are_no_problem() -> None:
    assert unmet_dependencies(manifests(a={"b": "^1.0"}, b={"c": ">=1,<2"}, c={})) == {}


def test_a_missing_and_a_wrong_version_each_say_what_is_there() -> None:
    reasons = unmet_dependencies(manifests(a={"ghost": "^1"}, b={"c": "^2.0"}, c={}))

    assert reasons == {
        "a": "it needs the plugin ghost ^1, which is not there",
        "b": "it needs c ^2.0, and 1.2.0 is there",
    }


def test_what_needs_a_broken_one_is_broken_and_says_why() -> None:
    reasons = unmet_dependencies(manifests(a={"b": "^1"}, b={"ghost": "^1"}, c={}))

    assert reasons["a"].startswith("it needs b, which cannot start: it needs the plugin ghost")
    assert "c" not in reasons


def test_a_cycle_is_named_in_its_order() -> None:
    reasons = unmet_dependencies(manifests(a={"b": "^1"}, b={"c": "^1"}, c={"a": "^1"}, d={}))

    assert set(reasons) == {"a", "b", "c"}
    assert any(
        path in reasons["a"]
        for path in (
            "a needs b needs c needs a",
            "b needs c needs a needs b",
            "c needs a needs b needs c",
        )
    )


def test_two_cycles_and_a_plugin_that_needs_itself_are_all_found() -> None:
    reasons = unmet_dependencies(
        manifests(a={"b": "^1"}, b={"a": "^1"}, c={"d": "^1"}, d={"c": "^1"}, e={"e": "^1"})
    )

    assert set(reasons) == {"a", "b", "c", "d", "e"}


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"), max_size=3), max_size=6
    )
)
def test_what_remains_can_be_started_in_some_order(graph: dict[str, set[str]]) -> None:
    found = manifests(**{name: dict.fromkeys(needs, "^1") for name, needs in graph.items()})

    startable = set(found) - set(unmet_dependencies(found))

    started: set[str] = set()
    for _ in range(len(startable)):
        ready = {name for name in startable - started if graph[name] <= started}
        started |= ready
    assert started == startable
