"""podnet: read the config, plan the cluster, deploy the plan, say what came of it."""

import pulumi

from podnet import config
from podnet.errors import PodnetError
from podnet.planning import plan
from podnet.stack import config_values, deploy

try:
    cluster = config.load(pulumi.get_stack(), config_values())
except PodnetError as error:
    # Pulumi shows this error as its sentence, every other with a traceback.
    raise pulumi.RunError(str(error)) from None

for name, value in deploy(plan(cluster)).outputs.items():
    pulumi.export(name, value)
