"""What does a person mean by ``key=value`` and ``--args JSON``?

A value is typed by the tool's input schema: text as it is, everything else as
JSON.  What does not parse stays text, so that the schema's own check words
the problem.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Final

from plughost.errors import InvalidArgumentsError

__all__ = ["parse_arguments", "split_pairs", "type_values"]

# `max_message_mb` cannot be raised beyond this (contracts/wire/README.md §2.2).
MAX_ARGUMENTS_BYTES: Final = 64 * 1024 * 1024

_SHOWN_CHARS: Final = 60  # of a value, in a message

_JSON_KINDS: Final = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def parse_arguments(text: str | None) -> dict[str, Any]:
    """Return the arguments that ``--args`` holds; ``-`` reads them from stdin.

    Raises:
        InvalidArgumentsError: It is no JSON object, or larger than a message may be.
    """
    if text is None:
        return {}
    where = "--args"
    if text == "-":
        where, text = "stdin", _read_stdin()
    else:
        _check_utf8(where, text)
    try:
        values = json.loads(text)
    except json.JSONDecodeError as wrong:
        around = text[max(0, wrong.pos - 20) : wrong.pos + 20]
        raise InvalidArgumentsError(
            f"{where}: line {wrong.lineno}, column {wrong.colno}: not JSON: {wrong.msg}, "
            f"near {around!r}",
            hint='Pass one JSON object, such as --args \'{"text": "Hello"}\'.',
            line=wrong.lineno,
            column=wrong.colno,
        ) from wrong
    except RecursionError as wrong:
        raise InvalidArgumentsError(
            f"{where}: the arguments nest too deep to read",
            hint="Arguments nest at most 64 levels deep.",
        ) from wrong
    except ValueError as wrong:  # a number of more than 4300 digits
        raise InvalidArgumentsError(
            f"{where}: {wrong}", hint="Numbers fit into 64 bits; pass longer ones as text."
        ) from wrong
    if not isinstance(values, dict):
        raise InvalidArgumentsError(
            f"{where}: the arguments are a JSON {_JSON_KINDS[type(values)]}, not an object",
            hint='Name each argument, such as --args \'{"text": "Hello"}\'.',
        )
    return values


def split_pairs(pairs: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return ``key=value`` *pairs* as text by key.

    Args:
        pairs: As they were typed.
        taken: Keys that ``--args`` gave already.

    Raises:
        InvalidArgumentsError: One is not such a pair, or a key is given twice.
    """
    texts: dict[str, str] = {}
    known = set(taken)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InvalidArgumentsError(
                f"{pair[:_SHOWN_CHARS]!r} is not of the form key=value",
                hint="Write arguments as key=value, or all of them as --args JSON.",
            )
        if key in known:
            raise InvalidArgumentsError(
                f"the argument {key!r} is given twice", hint="Give each argument once."
            )
        _check_utf8(key, pair)
        known.add(key)
        texts[key] = value
    return texts


def type_values(texts: dict[str, str], schema: dict[str, Any]) -> dict[str, Any]:
    """Return *texts* as the values that the tool's input *schema* asks for.

    Raises:
        InvalidArgumentsError: A list or an object is asked for and the text is no JSON.
    """
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    return {key: _typed(key, text, _kinds(known.get(key), schema)) for key, text in texts.items()}


def _typed(key: str, text: str, kinds: set[str]) -> Any:
    if "string" in kinds:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        wanted = kinds & {"array", "object"}
        if wanted and kinds <= {"array", "object", "null"}:
            kind = min(wanted)
            raise InvalidArgumentsError(
                f"{key}={text[:_SHOWN_CHARS]}: an {kind} is written as JSON",
                hint=f"Write it as {key}='{_EXAMPLES[kind]}'.",
            ) from None
        return text
    # A schema that says nothing takes numbers as numbers, and words as words.
    return value


_EXAMPLES: Final = {"array": '["a", "b"]', "object": '{"a": 1}'}


def _kinds(part: Any, schema: dict[str, Any]) -> set[str]:
    """Return the JSON types that *part* of *schema* allows; none if it does not say."""
    part = _resolved(part, schema)
    if not isinstance(part, dict):
        return set()
    named = part.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return {each for each in named if isinstance(each, str)}
    found: set[str] = set()
    for choices in (part.get("anyOf"), part.get("oneOf")):
        for choice in choices if isinstance(choices, list) else ():
            found |= _kinds(choice, schema)
    values = part["enum"] if isinstance(part.get("enum"), list) else []
    values = [*values, part["const"]] if "const" in part else values
    return found | {_JSON_KINDS[type(value)] for value in values}


def _resolved(part: Any, schema: dict[str, Any]) -> Any:
    """Follow a local ``$ref``; the host has refused those that lead anywhere else or nowhere."""
    reference = part.get("$ref") if isinstance(part, dict) else None
    if not isinstance(reference, str):
        return part
    found: Any = schema
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if found is not part else None


def _read_stdin() -> str:
    data = sys.stdin.buffer.read(MAX_ARGUMENTS_BYTES + 1)
    if len(data) > MAX_ARGUMENTS_BYTES:
        raise InvalidArgumentsError(
            f"stdin: the arguments are longer than {MAX_ARGUMENTS_BYTES // 2**20} MiB, "
            "the most that one message can carry",
            hint="Write them to a file and pass its path.",
            limit_bytes=MAX_ARGUMENTS_BYTES,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise _not_utf8("stdin", wrong.start, data[wrong.start]) from wrong


def _check_utf8(where: str, text: str) -> None:
    """Refuse *text* of the command line that was not UTF-8 when it was typed."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as wrong:
        data = text.encode("utf-8", "surrogateescape")
        place = len(text[: wrong.start].encode("utf-8", "surrogateescape"))
        raise _not_utf8(where, place, data[place]) from wrong


def _not_utf8(where: str, place: int, byte: int) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"{where}: byte {place} ({byte:#04x}) is not UTF-8",
        hint="Pass text in UTF-8; bytes of any kind travel as base64 or in a file.",
        byte=place,
    )
