"""Puts `plughost_sdk` at the top level of a built wheel, beside `plughost`.

The runtimes tree is in the wheel already, as ``plughost/_share/runtimes``,
because child interpreters open it there.  Whoever installs plughost also means
to import the SDK, and hatchling gives a file of the project one place only: a
forced second place removes the first.  So the second place is given to a copy
outside the project.
An editable install is left alone: ``dev-mode-dirs`` names ``runtimes/python``,
and a copy in site-packages would hide the checkout.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["TopLevelSdk"]

_SDK = "plughost_sdk"


class TopLevelSdk(BuildHookInterface[Any]):
    """Adds the SDK's files a second time, from a folder that lives as long as the build."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map a copy of the SDK to ``plughost_sdk/`` unless the install is editable."""
        if version == "editable":
            return
        self._staged = tempfile.TemporaryDirectory(prefix="plughost-wheel-")
        shutil.copytree(
            Path(self.root, "runtimes", "python", _SDK),
            Path(self._staged.name, _SDK),
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        build_data["force_include"][str(Path(self._staged.name, _SDK))] = _SDK

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copy."""
        if version != "editable":
            self._staged.cleanup()
