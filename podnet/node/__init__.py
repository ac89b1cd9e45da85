"""What runs on a node, with Python's standard library alone: one module for each concern of its share of the network.

``routes``, ``masquerade``, ``bridge``, ``cni`` and ``sysctls`` say what should be (of a plan, or as ``noted`` on the
node), what is (``actual``), and ``diff`` the two: each :class:`~podnet.node.check.Check` has the repairs that make it
hold. The resources, the systemd service, a refresh and the verification all ask the same functions.
"""
