"""podnet's rules as Pulumi policies.

Each rule is a pure function over the inputs of resources (a module a rule); only :mod:`podnet_policy.pack` knows the
engine. The rules look at what the resources would do, not at podnet's own code: they hold for whatever program makes
the resources.
"""
