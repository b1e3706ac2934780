"""Where `require` finds a module: in the plugin's folder, as real files, nowhere else."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from typing import Final

__all__ = ["ModuleFinder", "ModuleMissingError"]

# A source file is text a person wrote; 8 MiB is forty times the largest known to us, and
# reading it stays inside the smallest memory limit.
_LARGEST_SOURCE_BYTES: Final = 8 * 1024 * 1024


class ModuleMissingError(Exception):
    """There is no such file that may be loaded; the message says why."""


class ModuleFinder:
    """Reads the source files of one plugin.

    Args:
        folder: The plugin's folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.realpath(folder)

    def read_module(self, name: str) -> tuple[bytes, str]:
        """Return source and file name of module *name*: ``a.b`` is ``a/b.lua``.

        Raises:
            ModuleMissingError: No such module, or its file is outside the folder.
        """
        if not _is_module_name(name):
            raise ModuleMissingError(
                f"'{name}' is not a module's name; write 'a.b' for the file a/b.lua"
            )
        stem = name.replace(".", "/")
        candidates = (f"{stem}.lua", f"{stem}/init.lua")
        for file in candidates:
            if os.path.isfile(os.path.join(self._folder, file)):
                return self.read_file(file), file
        raise ModuleMissingError(
            f"module '{name}' not found: the plugin's folder has neither"
            f" {candidates[0]} nor {candidates[1]}"
        )

    def read_file(self, file: str) -> bytes:
        """Return the bytes of *file*, a path relative to the folder.

        Raises:
            ModuleMissingError: It is outside the folder, too large, or cannot be read.
        """
        path = os.path.realpath(os.path.join(self._folder, file))
        if os.path.commonpath([path, self._folder]) != self._folder:
            raise ModuleMissingError(f"{file} leads outside the plugin's folder")
        try:
            with open(path, "rb") as source:
                text = source.read(_LARGEST_SOURCE_BYTES + 1)
        except OSError as problem:
            raise ModuleMissingError(f"{file} cannot be read: {problem.strerror}") from None
        if len(text) > _LARGEST_SOURCE_BYTES:
            raise ModuleMissingError(f"{file} is larger than {_LARGEST_SOURCE_BYTES} bytes")
        return text


def _is_module_name(name: str) -> bool:
    """Say whether *name* is words joined by dots: no slash and no ``..`` leads out of here."""
    words = name.replace("-", "_").split(".")
    return name.isascii() and all(word.replace("_", "a").isalnum() for word in words)
