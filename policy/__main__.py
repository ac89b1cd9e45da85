"""The policy pack, as the engine starts it: ``pulumi preview --policy-pack policy``."""

from pulumi_policy import PolicyPack

from podnet_policy.pack import policies

PolicyPack("podnet", policies())
