"""unit-convert: exact results, dimensional checking, and errors that help."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.runtimes.lua.conftest import runner_argv
from tests.runtimes.python.wire_client import WireClient, start_process

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "unit-convert"


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireClient]:
    log = tmp_path_factory.mktemp("unit-convert") / "log"
    process, write_to, read_from = start_process(
        runner_argv(FOLDER),
        folder=FOLDER,
        env={"PLUGHOST_PLUGIN": "unit-convert"},
        log=log,
        on_three=True,
    )
    client = WireClient(process, write_to, read_from, log)
    client.begin()
    yield client
    client.leave()


def convert(plugin: WireClient, value: float, source: str, target: str) -> dict[str, Any]:
    result: dict[str, Any] = plugin.data(
        "convert", **{"value": value, "from": source, "to": target}
    )
    return result


def refusal(plugin: WireClient, value: float, source: str, target: str) -> str:
    failure = plugin.failure("convert", **{"value": value, "from": source, "to": target})
    message: str = failure["message"]
    return message


# Value, unit, unit, decimal text.  Sources: BIPM, The International System of Units, 9th
# edition; NIST SP 811, appendix B; IEC 80000-13; the rest follows from definitions.
EXACT = [
    (60, "mi/h", "m/s", "26.8224"),
    (1, "kWh", "J", "3600000"),
    (1, "lb*ft/s^2", "N", "0.138254954376"),
    (1, "kg·m·s⁻²", "N", "1"),
    (1, "kg*m/s^2", "N", "1"),
    (1, "lbf", "N", "4.4482216152605"),
    (1, "in", "cm", "2.54"),
    (1, "nautical mile", "km", "1.852"),
    (1, "acre", "m²", "4046.8564224"),
    (1, "square foot", "m2", "0.09290304"),
    (1, "gallons", "L", "3.785411784"),
    (1, "hp", "W", "745.69987158227022"),
    (1, "atm", "Torr", "760"),
    (1, "BTU", "J", "1055.05585262"),
    (1, "ly", "m", "9460730472580800"),
    (0.1, "m", "cm", "10"),
    (1, "µm", "um", "1"),
    (1, "metre per second squared", "m s^-2", "1"),
    (3, "m per s per s", "m/s²", "3"),
    (8, "L/100 km", "L/km", "0.08"),
    (1, "W/(m² K)", "W/m²/K", "1"),
    (1, "J/kg K", "J/(kg*K)", "1"),
    (2, "N-m", "J", "2"),
    (5, "Megajoules", "kJ", "5000"),
    (50, "%", "1", "0.5"),
    (1e-30, "qm", "m", "1e-60"),
    (-3, "km", "m", "-3000"),
    (0, "km", "m", "0"),
    # information
    (1, "KiB", "kB", "1.024"),
    (1, "MB/s", "Mbit/s", "8"),
    (1, "GiB", "B", "1073741824"),
    (1, "Gibit", "Mbit", "1073.741824"),
    (100, "Mbps", "MB/s", "12.5"),
    # temperature
    (98.6, "°F", "°C", "37"),
    (37, "degC", "fahrenheit", "98.6"),
    (-40, "°C", "°F", "-40"),
    (0, "K", "°C", "-273.15"),
    (0, "°C", "mK", "273150"),
    (25, "°C", "°C", "25"),
    (9, "Δ°F", "Δ°C", "5"),
    (9, "Δ°F", "K", "5"),
    (18, "°R", "K", "10"),
    # pi cancels
    (360, "deg", "turn", "1"),
    (1, "rpm", "deg/s", "6"),
    (1, "arcsec", "deg", None),
]


@pytest.mark.parametrize(("value", "source", "target", "decimal"), EXACT)
def test_a_conversion_is_exact(
    plugin: WireClient, value: float, source: str, target: str, decimal: str | None
) -> None:
    result = convert(plugin, value, source, target)

    if decimal is None:  # 1/3600 has no end
        assert result["exact"] is False
    else:
        assert result["decimal"] == decimal
        assert result["exact"] is True
        assert result["value"] == float(decimal)
    assert result["unit"] == target


def test_a_result_without_end_is_rounded_once(plugin: WireClient) -> None:
    psi = convert(plugin, 100, "psi", "bar")
    half_turn = convert(plugin, 180, "°", "rad")

    exact = Fraction("0.45359237") * Fraction("9.80665") / Fraction("0.0254") ** 2 / 1000
    assert psi["exact"] is False
    assert abs(Fraction(psi["decimal"]) - exact) <= exact * Fraction(1, 10**33)
    assert psi["value"] == float(exact)
    assert half_turn["decimal"].startswith("3.14159265358979323846264338327950")
    assert half_turn["value"] == math.pi
    assert half_turn["exact"] is False


def test_a_whole_result_is_an_integer(plugin: WireClient) -> None:
    assert type(convert(plugin, 1.5, "km", "m")["value"]) is int
    assert type(convert(plugin, 1, "m", "km")["value"]) is float


LENGTHS = {
    "m": Fraction(1),
    "km": Fraction(1000),
    "in": Fraction(254, 10_000),
    "ft": Fraction(3048, 10_000),
    "yd": Fraction(9144, 10_000),
    "mi": Fraction(1_609_344, 1000),
    "nmi": Fraction(1852),
    "µm": Fraction(1, 10**6),
    "au": Fraction(149_597_870_700),
    "Å": Fraction(1, 10**10),
    "fathom": Fraction(18_288, 10_000),
}


@example(value=2.0**-24, source="au", target="fathom", power=-2)
@settings(max_examples=200, deadline=None)
@given(
    value=st.one_of(
        st.integers(-(2**53), 2**53),
        st.floats(-1e200, 1e200, allow_nan=False, allow_subnormal=False),
    ),
    source=st.sampled_from(sorted(LENGTHS)),
    target=st.sampled_from(sorted(LENGTHS)),
    power=st.integers(-3, 3).filter(bool),
)
def test_any_value_is_converted_as_exactly_as_a_fraction(
    plugin: WireClient, value: float, source: str, target: str, power: int
) -> None:
    """repr() is the decimal a person would have written for the number."""
    exact = Fraction(repr(value)) * (LENGTHS[source] / LENGTHS[target]) ** power

    result = convert(plugin, value, f"{source}^{power}", f"{target}^{power}")

    assert result["value"] == float(exact)
    assert result["exact"] is (Fraction(result["decimal"]) == exact)


COMPOUND_NOTE = (
    "°C and °F inside a compound unit are temperature differences: 1 °C is 1 K, 1 °F is 5/9 K"
)


def test_a_degree_in_a_compound_unit_is_a_difference_and_the_answer_says_so(
    plugin: WireClient,
) -> None:
    result = convert(plugin, 1, "W/(m °C)", "W/(m K)")

    assert result["value"] == 1
    assert result["notes"] == [COMPOUND_NOTE]
    assert convert(plugin, 20, "°C", "K")["notes"] == []


def test_a_measured_unit_says_so(plugin: WireClient) -> None:
    (note,) = convert(plugin, 1, "kDa", "kg")["notes"]

    assert note.startswith("Da is defined by measurement")


REFUSALS = [
    (
        (5, "m/s", "kg"),
        "cannot convert m/s to kg: m/s is length·time⁻¹, kg is mass",
    ),
    (
        (1, "1/s", "rpm"),
        "cannot convert 1/s to rpm: 1/s is time⁻¹, rpm is angle·time⁻¹",
    ),
    (
        (8, "L/100 km", "mpg"),
        (
            "cannot convert L/100 km to mpg: L/100 km is length², mpg is length⁻²;"
            " one is the other's inverse: convert 1/value"
        ),
    ),
    (
        (20, "C", "F"),
        (
            "cannot convert C to F: C is time·current, F is time⁴·current²·mass⁻¹·length⁻²;"
            " C is the coulomb, write °C for the temperature"
        ),
    ),
    (
        (5, "Δ°C", "°F"),
        (
            "cannot convert Δ°C to °F: one is a temperature difference, the other a temperature;"
            " write Δ°C, Δ°F or K for both"
        ),
    ),
    (
        (-300, "°C", "°F"),
        "-300 °C is below absolute zero; for a temperature difference write Δ°C, Δ°F or K",
    ),
    ((1, "Kwh", "J"), "unknown unit 'Kwh'; did you mean kWh?"),
    ((1, "m/metr", "1"), "unknown unit 'metr'; did you mean meter, metre, mt? (in 'm/metr')"),
    ((1, "KB", "B"), "unknown unit 'KB': write kB for 1000 bytes or KiB for 1024"),
    ((1, "mB", "B"), "unknown unit 'mB'; did you mean MB, Mb, B?"),
    ((3, "dB", "1"), "unknown unit 'dB': decibels are logarithmic, not a multiple of a unit"),
    (
        (1, "tons", "kg"),
        "unknown unit 'tons': write t (1000 kg), ton_us (2000 lb) or ton_uk (2240 lb)",
    ),
    ((1, "ก", "m"), "unknown unit 'ก'"),
    ((1, "m//s", "m"), "'m//s' is not a unit: a unit is needed at character 3"),
    ((1, "(m", "m"), "'(m' is not a unit: the '(' at character 1 is not closed"),
    ((1, "m)", "m"), "'m)' is not a unit: the ')' at character 2 opens nowhere"),
    ((1, "m/", "m"), "'m/' is not a unit: it ends too early"),
    ((1, "   ", "m"), "'' is not a unit: it is empty"),
    ((1, "square", "m"), "'square' is not a unit: after 'square' a unit is needed"),
    (
        (1, "m^x", "m"),
        "'m^x' is not a unit: after '^' at character 2 an integer is needed, as in m^2 or s^-1",
    ),
    ((1, "m^99", "m"), "'m^99' is not a unit: the power 99 is beyond 24"),
    ((1, "m$", "m"), "'m$' is not a unit: '$' at character 2 has no meaning here"),
    (
        (1, "((((m^24)^24)^24)^24)", "m"),
        (
            "'((((m^24)^24)^24)^24)' is not a unit:"
            " its factor or a power is out of range, or it divides by zero"
        ),
    ),
    ((1, "0^-1", "1"), "its factor or a power is out of range, or it divides by zero"),
    ((1, "m/0", "m"), "its factor or a power is out of range, or it divides by zero"),
    ((1e308, "Qm", "qm"), "the result is 1e+368, which no double can hold"),
    ((1, "(" * 30 + "m" + ")" * 30, "m"), "its parentheses nest too deep"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSALS, ids=[one[0][1] for one in REFUSALS])
def test_a_refusal_says_what_where_and_what_instead(
    plugin: WireClient, arguments: tuple[float, str, str], message: str
) -> None:
    refused = refusal(plugin, *arguments)

    assert refused.endswith(message) if message.startswith("its") else refused == message


def test_a_refusal_has_details_for_programs(plugin: WireClient) -> None:
    dimensions = plugin.failure("convert", **{"value": 5, "from": "m/s", "to": "kg"})
    unknown = plugin.failure("convert", **{"value": 5, "from": "kg", "to": "ibs"})

    assert dimensions["details"] == {
        "exception": "LuaError",
        "from": "length·time⁻¹",
        "to": "mass",
    }
    assert unknown["details"]["unit"] == "ibs"
    assert "lbs" in unknown["details"]["suggestions"]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_unit_or_a_refusal_that_names_it(plugin: WireClient, text: str) -> None:
    result = plugin.call("describe", unit=text)

    if result.get("isError"):
        message = result["_meta"]["plughost/error"]["message"]
        assert "unit" in message or "factor" in message
        assert ".lua" not in message
    else:
        assert result["structuredContent"]["dimension"]


def test_a_unit_is_described_down_to_the_si(plugin: WireClient) -> None:
    assert plugin.data("describe", unit="kWh/m²") == {
        "unit": "kWh/m²",
        "dimension": "mass·time⁻²",
        "quantity": "surface tension",
        "si_unit": "kg·s⁻²",
        "si_factor": 3600000,
        "si_decimal": "3600000",
        "exact": True,
        "parts": [
            {"unit": "kWh", "name": "kilowatt_hour", "exponent": 1, "definition": "W h"},
            {"unit": "m", "name": "metre", "exponent": -2, "definition": "base unit"},
        ],
        "notes": [],
    }
    fahrenheit = plugin.data("describe", unit="°F")
    assert fahrenheit["si_offset"] == 459.67
    assert fahrenheit["quantity"] == "temperature"
    assert plugin.data("describe", unit="m^7")["quantity"] is None
    assert plugin.data("describe", unit="1")["dimension"] == "number"


def test_units_are_listed_by_quantity_by_dimension_and_all(plugin: WireClient) -> None:
    speeds = plugin.data("list_units", dimension="speed")
    everything = plugin.data("list_units")

    assert speeds["dimension"] == "length·time⁻¹"
    assert [unit["unit"] for unit in speeds["units"]] == ["mph", "kph", "fps", "kn", "c"]
    assert plugin.data("list_units", dimension="length·time⁻¹") == speeds
    assert plugin.data("compatible", unit="furlong/fortnight") == speeds
    assert everything["dimension"] is None
    assert len(everything["units"]) > 130
    assert plugin.failure("list_units", dimension="energi")["message"] == (
        "unknown dimension 'energi'; did you mean energy?"
    )


def test_every_listed_spelling_is_understood_and_means_its_unit(plugin: WireClient) -> None:
    for unit in plugin.data("list_units")["units"]:
        for spelling in unit["spellings"]:
            same = convert(plugin, 1, f"1 {spelling}", f"1 {unit['unit']}")
            assert same["value"] == 1, spelling


def test_no_definition_leads_to_another_dimension_than_listed(plugin: WireClient) -> None:
    for unit in plugin.data("list_units")["units"]:
        if unit["definition"][0].isdigit() or "/" in unit["definition"]:
            described = plugin.data("describe", unit=unit["definition"])
            assert described["dimension"] == unit["dimension"], unit


def test_every_result_fits_the_schema_that_was_listed(plugin: WireClient) -> None:
    tools = {tool["name"]: tool for tool in plugin.ask("tools/list")["tools"]}
    results = {
        "convert": convert(plugin, 1, "W/(m °C)", "W/(m K)"),
        "describe": plugin.data("describe", unit="°F"),
        "list_units": plugin.data("list_units"),
        "compatible": plugin.data("compatible", unit="mol^3"),
    }

    assert set(results) == set(tools)
    for name, result in results.items():
        for schema in (tools[name]["inputSchema"], tools[name]["outputSchema"]):
            jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(result, tools[name]["outputSchema"])
        assert tools[name]["annotations"] == {"idempotentHint": True}


def test_arguments_that_do_not_fit_are_refused_before_the_tool(plugin: WireClient) -> None:
    assert plugin.misfit("convert", value="1", **{"from": "m", "to": "m"})
    assert plugin.misfit("convert", value=1, **{"from": "m"})
    assert plugin.misfit("list_units", dimensions="speed")


def test_the_readme_shows_what_the_plugin_says(plugin: WireClient) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    transcript = text.partition("```text\n")[2].partition("```")[0]
    calls = [part.split("\n")[:2] for part in transcript.split("$ plughost call ")[1:]]

    assert len(calls) >= 6
    for command, shown in calls:
        tool, arguments = parsed(command)
        result = plugin.call(tool, **arguments)
        if result.get("isError"):
            said = f"error[tool-error]: {result['_meta']['plughost/error']['message']}"
        else:
            said = json.dumps(result["structuredContent"], ensure_ascii=False)
        assert said == shown


def parsed(command: str) -> tuple[str, dict[str, Any]]:
    _, tool, *pairs = shlex.split(command)
    arguments: dict[str, Any] = dict(pair.split("=", 1) for pair in pairs)
    if "value" in arguments:
        arguments["value"] = json.loads(arguments["value"])
    return tool, arguments
