from __future__ import annotations

import sys
from pathlib import Path

# Tests are files, not packages; the player beside them is imported from the root.
sys.path.insert(0, str(Path(__file__).parents[2]))
