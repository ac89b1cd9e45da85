"""``python -m podnet``."""

import sys

from podnet.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
