"""Every binary that podnet needs: from its official release, or built from Go modules; in a cache of its own."""

from toolchain.ensure import ensure
from toolchain.plugins import Plugins, install_plugins
from toolchain.toolchain import Toolchain

__all__ = ["Plugins", "Toolchain", "ensure", "install_plugins"]
