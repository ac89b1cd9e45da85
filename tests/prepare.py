"""Make what the tests on real boxes need, with its progress shown, before pytest takes the terminal."""

from __future__ import annotations

import os
import sys

from lab.__main__ import main

if __name__ == "__main__":
    if os.geteuid() == 0:
        sys.argv = ["lab", "prepare"]
        sys.exit(main())
    print("not root: the tests on real boxes will be skipped")
