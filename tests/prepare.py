"""Make what the tests on real boxes need, with its progress shown, before pytest takes the terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from lab.__main__ import main


def prepare_browser() -> None:
    """Install the browser that the test of the page drives; where that cannot be, the test says so."""
    if shutil.which("chromedriver") or not shutil.which("apt-get"):
        return
    print("Debian packages: chromium chromium-driver ...", flush=True)
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    install = [*apt, "install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"]
    for command in ([*apt, "update"], install):
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if os.geteuid() == 0:
        prepare_browser()
        sys.argv = ["lab", "prepare"]
        sys.exit(main())
    print("not root: the tests on real boxes will be skipped")
