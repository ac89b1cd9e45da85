"""The rules as the engine's policies: the only module that knows pulumi_policy.

The engine shows a resource's inputs twice: with the marks of secrets to a policy that may remedy them, and without to
one that judges. It shows the whole stack at the end, but its outputs. So what is seen on the way is kept, by URN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
    proxy,
)
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, serialize_properties

from podnet_policy import commands, host_keys, images, ranges, secrets, snat
from podnet_policy.resource import UNKNOWN, Resource, Secret

_UNKNOWN: Final = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}

_Rule = Callable[[Resource], list[str]]
_StackRule = Callable[[Sequence[Resource]], list[tuple[str, str]]]


def policies() -> list[Policy]:
    """Every policy of the pack. Each is mandatory."""
    inputs: dict[str, Resource] = {}
    return [
        _of_secrets(inputs),
        _of_translations(),
        _of_stack("no-pod-masqueraded", "podnet's masquerade leaves every pod alone.", snat.check_stack, inputs),
        _of_stack("no-overlap", "No two ranges of a cluster share an address.", ranges.check_stack, inputs),
        _of_resource("host-keys-pinned", "SSH goes only to hosts whose key is known.", host_keys.check),
        _of_stack(
            "host-keys-to-come",
            "A connection that is not known yet takes a host key from a machine.",
            host_keys.check_stack,
            inputs,
        ),
        _of_resource("remote-commands-undone", "What a remote command makes, it has a delete for.", commands.check),
        _of_resource("images-pinned", "Images have a tag other than latest, or a digest.", images.check),
    ]


def _of_resource(name: str, description: str, rule: _Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for problem in rule(_resource(args)):
            report(problem, None)

    return ResourceValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def _of_translations() -> Policy:
    """It takes the names of resources that may, from ``--policy-pack-config policy/config.json``."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for problem in snat.check(_resource(args), args.get_config().get("allow") or ()):
            report(problem, None)

    names = {"type": "array", "items": {"type": "string"}, "default": []}
    return ResourceValidationPolicy(
        "no-snat-between-pods",
        "A pod is seen under its own address by every pod.",
        validate,
        EnforcementLevel.MANDATORY,
        PolicyConfigSchema(properties={"allow": names}),
    )


def _of_stack(name: str, description: str, rule: _StackRule, inputs: dict[str, Resource]) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = []
        # They come in the order in which they were registered, which is another one each time.
        for each in sorted(args.resources, key=lambda one: one.urn):
            seen = inputs.get(each.urn)
            if seen is not None:
                depends = {key: tuple(one.urn for one in many) for key, many in each.property_dependencies.items()}
                resources.append(Resource(seen.urn, seen.type, seen.inputs, seen.parent, depends))
        for urn, problem in rule(resources):
            report(problem, urn)

    return StackValidationPolicy(name, description, validate, EnforcementLevel.MANDATORY)


def _of_secrets(inputs: dict[str, Resource]) -> Policy:
    """It remedies nothing: where to mark a secret is the author's to say. It keeps what the other policies need."""
    marked: dict[str, Resource] = {}

    def remediate(args: ResourceValidationArgs) -> None:
        marked[args.urn] = _resource(args)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        inputs[args.urn] = _resource(args)
        if args.urn not in marked:
            report("secrets cannot be told from other inputs: this policy needs its level, remediate", None)
            return
        for problem in secrets.check(marked.pop(args.urn)):
            report(problem, None)

    return ResourceValidationPolicy(
        "no-secret-in-clear",
        "A private key, a token or a kubeconfig in an input is marked secret.",
        validate,
        EnforcementLevel.REMEDIATE,
        remediate=remediate,
    )


def _resource(args: ResourceValidationArgs) -> Resource:
    inputs = {key: _plain(value) for key, value in serialize_properties(args.props).items()}
    return Resource(args.urn, args.resource_type, inputs, args.opts.parent or "")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN else value
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        if value.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            return Secret(_plain(value.get("value")))
        return {key: _plain(part) for key, part in value.items()}
    return value
