"""What podnet does on the host: ``python -m podnet.host SUBCOMMAND``, called by the commands of a deployment.

Every subcommand may be repeated. It runs with Python's standard library alone, so that any Python 3.11 can undo what
was done. Where things are comes from the environment (``make env``), so that a stack is the same wherever it is
previewed from.
"""
