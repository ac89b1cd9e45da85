"""Make what the tests need beside `make up`, with its progress shown, before pytest takes the terminal."""

from __future__ import annotations

import os
import sys
from typing import Final

from podnet.cli.main import main
from podnet.errors import PodnetError
from podnet.lifecycle import preflight
from toolchain import catalog, ensure
from toolchain.settings import from_environ

PACKAGES: Final = ("vagrant-libvirt", "chromium", "chromium-driver", "librsvg2-bin", "iptables", "openssl", "sudo")
"""Debian packages: the provider whose Vagrantfile is validated, the browser that opens the page, a converter of SVG, a
firewall, and sudo with a password."""

ARTIFACTS: Final = ("e2e", "actionlint")
"""Kubernetes' own tests, and the linter of workflows: asked for along with all the rest, while Go's caches are warm."""


def prepare() -> int:
    """Make all of it; the exit code."""
    preflight.install_packages(preflight.missing_packages(PACKAGES))
    ensure([*catalog.default(from_environ(os.environ)).usual(), *ARTIFACTS])
    return main(["prepare"])


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("not root: the tests on real boxes will be skipped")
        sys.exit()
    try:
        sys.exit(prepare())
    except PodnetError as error:
        sys.exit(f"podnet: {error}")
