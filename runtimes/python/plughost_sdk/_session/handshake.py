"""Who speaks which protocol: `initialize`, `server/discover`, and the stateless revision."""

from __future__ import annotations

from plughost_sdk._session.answers import (
    INVALID_PARAMS,
    UNSUPPORTED_VERSION,
    error_member,
    typed_error,
)
from plughost_sdk.jsontext import dumps

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

__all__ = ["EXTENSION_VERSION", "LIST_STAMP", "LOG_LEVEL_KEY", "STAMP", "VERSION_KEY", "Refusal",
           "discovered", "greeted", "is_stateless", "refuse_stateless"]  # fmt: skip

# The version of our extensions this SDK speaks (wire 4.1), matched by caret (wire 4.4).
EXTENSION_VERSION = "1.0.0"

# Revisions with a handshake whose tools, as we use them, are the same; newest first.
_HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18")

# Revisions without one (wire 4.7).
_STATELESS_VERSIONS = ("2026-07-28",)

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
LOG_LEVEL_KEY = "io.modelcontextprotocol/logLevel"

# What every result, and every list, carries in the stateless revision.
STAMP = b'"resultType":"complete"'
LIST_STAMP = b'"resultType":"complete","ttlMs":0,"cacheScope":"private"'


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The handshake cannot go on; *member* is the answer's error."""

    def __init__(self, member: bytes) -> None:
        super().__init__(member)
        self.member = member


def is_stateless(params: dict[str, Any]) -> bool:
    """Whether a request with *params* needs no handshake."""
    meta = params.get("_meta")
    return type(meta) is dict and VERSION_KEY in meta


def refuse_stateless(meta: dict[str, Any]) -> bytes | None:
    """Return the error for a stateless request with *meta*, or None if it is in order."""
    version = meta[VERSION_KEY]
    if version not in _STATELESS_VERSIONS:
        return error_member(
            UNSUPPORTED_VERSION,
            f"protocol version {version!r} is not supported; "
            f"supported are {', '.join(_STATELESS_VERSIONS)}",
            {"supported": list(_STATELESS_VERSIONS), "requested": version},
        )
    if type(meta.get(_CAPABILITIES_KEY)) is not dict:
        return error_member(
            INVALID_PARAMS, f"_meta must have {_CAPABILITIES_KEY!r}, an object, beside the version"
        )
    return None


def discovered(server: dict[str, str]) -> bytes:
    """Return the result of ``server/discover``, stamp included."""
    return dumps(
        {
            "supportedVersions": list(_STATELESS_VERSIONS),
            "capabilities": {"tools": {}, "logging": {}},
            "resultType": "complete",
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": {"io.modelcontextprotocol/serverInfo": server},
        }
    )


def greeted(
    params: dict[str, Any], server: dict[str, str], features: list[str]
) -> tuple[bytes, frozenset[str] | None]:
    """Answer ``initialize``.

    Returns:
        The result, and what the host offers; None if it does not speak our extensions.

    Raises:
        Refusal: The versions do not match, or the request is malformed.
    """
    version = params.get("protocolVersion")
    if type(version) is not str:
        raise Refusal(error_member(INVALID_PARAMS, "initialize needs protocolVersion, a string"))
    offered = _offered(params)
    capabilities: dict[str, Any] = {"tools": {"listChanged": True}, "logging": {}}
    if offered is not None:
        ours = {"version": EXTENSION_VERSION, "features": features}
        capabilities["experimental"] = {"plughost": ours}
    answer = {
        "protocolVersion": version if version in _HANDSHAKE_VERSIONS else _HANDSHAKE_VERSIONS[0],
        "capabilities": capabilities,
        "serverInfo": server,
    }
    return dumps(answer), offered


def _offered(params: dict[str, Any]) -> frozenset[str] | None:
    """Read the host's features, having compared versions."""
    said: Any = params
    for key in ("capabilities", "experimental", "plughost"):
        said = said.get(key)
        if type(said) is not dict:
            return None
    version = said.get("version")
    if not _matches(version):
        raise Refusal(
            typed_error(
                INVALID_PARAMS,
                "protocol-violation",
                f"the host speaks plughost {version}, this plugin's SDK {EXTENSION_VERSION}: "
                "use the SDK that came with the host",
            )
        )
    features = said.get("features")
    if type(features) is not list:
        return frozenset()
    return frozenset(one for one in features if type(one) is str)


def _matches(version: object) -> bool:
    """Whether *version* and ours match by caret: the same major, and for 0.x the same minor."""
    theirs, ours = _major_minor(version), _major_minor(EXTENSION_VERSION)
    if theirs is None or ours is None:
        return False
    return theirs == ours if ours[0] == 0 else theirs[0] == ours[0]


def _major_minor(version: object) -> tuple[int, int] | None:
    if type(version) is not str:
        return None
    parts = version.split(".")
    if len(parts) < 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):  # noqa: PLR2004 - SemVer
        return None
    return int(parts[0]), int(parts[1])
