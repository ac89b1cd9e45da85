"""podnet's rules as Pulumi policies.

Each rule is a pure function over the inputs of resources (a module a rule); only :mod:`podnet_policy.pack` knows the
engine. podnet's own resources are judged by the type of the component that they stand in and by its inputs, everything
else by its text. No rule knows podnet's code.
"""
