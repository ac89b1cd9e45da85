"""Exit codes, the same for every command."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""It is done; what was asked for holds."""

NOT_SO: Final = 1
"""What was asked for does not hold, or was not tried; or Pulumi, which said why, has failed."""

ERROR: Final = 2
"""podnet could not do it, and says why on standard error; or the command line was wrong."""

INTERRUPTED: Final = 130
"""Ctrl-C."""
