"""A stand-in for the plugin of Pulumi's command provider, for machines that cannot download the official one.

It serves ``command:remote:Command`` and ``command:local:Command`` as version 1.2.1 does, so the same program and the
same state work with either. What it leaves out is refused with a sentence that says so.
See ``docs/command-provider.md``.
"""

VERSION = "1.2.1"
