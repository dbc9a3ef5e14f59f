"""Builds the exception workflow from its policy and the keys of its issuers."""

from __future__ import annotations

import ipaddress

from processors.bootstrap.sealing import seals
from processors.bootstrap.trust import matrix_trust
from processors.bootstrap.trusted_keys import TrustedKeys
from processors.configuration.guard import Watched
from processors.configuration.settings import Settings
from processors.errors import SettingsInvalid
from processors.exception_workflow.config import ExceptionPolicy, load
from processors.exception_workflow.processor import ExceptionWorkflow
from processors.stream.wire.codec import Codec


def read_policy(of: Settings) -> ExceptionPolicy:
    return load(of.config / "exception_workflow.yaml")


def workflow(of: Settings, events: Codec) -> ExceptionWorkflow:
    """The processor with the keys of its issuers. Raises SettingsInvalid for a development key beyond loopback."""
    policy = read_policy(of)
    if any(issuer.development for issuer in policy.proof.issuers):
        _only_on_loopback(of.kafka.bootstrap)
    keys = TrustedKeys(policy, of.config)
    keys.keep_fresh()
    config = Watched(of.config)
    return ExceptionWorkflow(
        events,
        policy,
        keys,
        seals(of),
        lambda: config().features.exceptions,
        matrix_trust(of),
        config().gateway.pages,
    )


def _only_on_loopback(bootstrap: str) -> None:
    for address in bootstrap.split(","):
        host = address.strip().rpartition(":")[0].strip("[]")
        try:
            near = ipaddress.ip_address(host).is_loopback
        except ValueError:
            near = host == "localhost"
        if not near:
            raise SettingsInvalid(
                f"exception_workflow.yaml trusts a development key, and the broker `{host}` is not on loopback; "
                "name the issuer that vouches for your approvers instead"
            )
