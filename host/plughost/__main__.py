"""``python -m plughost`` is ``plughost``."""

from __future__ import annotations

from plughost.cli.main import main

if __name__ == "__main__":
    main()
