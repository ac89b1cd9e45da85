"""The policy pack, as the engine starts it: ``pulumi preview --policy-pack policy``."""

import io
import os
import sys

from pulumi_policy import PolicyPack

from podnet_policy.pack import policies

# PolicyPack writes its port to sys.stdout.buffer and flushes nothing. The engine waits for it for ever, unless Python
# happens to run unbuffered, as under the older way of starting a pack.
sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", buffering=0, closefd=False), write_through=True)

PolicyPack("podnet", policies())
