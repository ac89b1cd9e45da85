"""Start the plugin: ``python -m lab.command_provider ENGINE_ADDRESS``."""

import sys

from lab.command_provider.server import main

if __name__ == "__main__":
    main(sys.argv[1:])
