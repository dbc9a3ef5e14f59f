"""The identity provider and the platform of the demo, and a configuration that trusts both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from joserfc.jwk import ECKey

from processors.cli.demo.children import child
from processors.cli.demo.platform import GROUP, DemoPlatform
from processors.documents.yaml_writing import to_yaml
from processors.gateway.signing import make_signing_keys

PASSWORD: Final = "demo"  # noqa: S105 - of people who do not exist, shown on the page that asks for it
TENANT: Final = "demo"
GATEWAY: Final = "urn:compat-guard:gateway"
PEOPLE: Final[Mapping[str, Mapping[str, Any]]] = {
    subject: {"name": name, "groups": groups, "roles": roles, "tenant": TENANT}
    for subject, name, groups, roles in (
        ("alice", "Alice, who installs plugins", ["deployer"], []),
        ("petra", "Petra, plugin steward", ["approver"], ["plugin-steward"]),
        ("sabine", "Sabine, security", ["approver"], ["security-approver"]),
        ("samir", "Samir, security", ["approver"], ["security-approver"]),
        ("lena", "Lena, security and platform lead", ["approver"], ["security-lead", "platform-lead"]),
        ("ada", "Ada, auditor and operator", ["auditor", "operator"], []),
    )
}
_ROLES: Final = {
    "requester": ["deployer"],
    "approver": ["approver"],
    "reader": ["deployer", "approver", "auditor"],
    "auditor": ["auditor"],
    "operator": ["operator"],
}


class Provided(NamedTuple):
    """The future addresses of gateway and console, variables for all processes of the guard, and the platform."""

    url: str
    variables: dict[str, str]
    platform: DemoPlatform


@contextmanager
def provided(folder: Path, shipped: Path) -> Generator[Provided]:
    """A running identity provider and platform, and a configuration that trusts them, based on `shipped`."""
    from processors.embedded.identity import AUDIENCE, IdentityProvider  # noqa: PLC0415 - an optional extra
    from processors.embedded.ports import HOST, free_port  # noqa: PLC0415 - as above

    port = free_port()
    url = f"http://{HOST}:{port}"
    with (
        IdentityProvider(folder / "identity", url, PEOPLE, PASSWORD) as provider,
        DemoPlatform(AUDIENCE, TENANT) as platform,
    ):
        config = configure(shipped, folder, gateway=url, provider=provider.url).absolute()
        _connect(config, platform, AUDIENCE)
        variables = {
            "GUARD_CONFIG": str(config),
            "GUARD_GATEWAY__PORT": str(port),
            "GUARD_GATEWAY__SIGNING_KEYS": str(config / "gateway-keys.json"),
        }
        yield Provided(url, variables, platform)


def link_dashboards(config: Path, dashboards: Mapping[str, str]) -> None:
    """Add links to the dashboards to the console. A running gateway reads its configuration again."""
    file = config / "guard.yaml"
    gateway: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))["gateway"]
    console = {**gateway["console"], "dashboards": dict(dashboards)}
    _merge(file, {"gateway": {**gateway, "console": console}})


def served(environment: Mapping[str, str], folder: Path) -> AbstractContextManager[None]:
    """The gateway in a child; its log is in the data folder."""
    return child(
        "run", "gateway", environment={**environment, "GUARD_HEALTH_PORT": "0"}, log=folder / "gateway.log"
    )


def configure(shipped: Path, folder: Path, *, gateway: str, provider: str) -> Path:
    """Write a configuration based on `shipped` that trusts the provider, and the keys of its gateway beside it.

    `gateway` and `provider` are addresses. Returns the folder; the keys are in it as `gateway-keys.json`.
    """
    config = folder / "config"
    shutil.copytree(shipped, config, dirs_exist_ok=True)
    keys = config / "gateway-keys.json"
    if not keys.exists():
        make_signing_keys(keys)
    public = [ECKey.import_key(key).as_dict(private=False) for key in json.loads(keys.read_text("utf-8"))["keys"]]
    (config / "gateway-jwks.json").write_text(json.dumps({"keys": public}), "utf-8")
    _merge(config / "guard.yaml", {"gateway": _gateway(gateway, provider)})
    workflow: dict[str, Any] = yaml.safe_load((config / "exception_workflow.yaml").read_text("utf-8"))
    proof = {**workflow["proof"], "issuers": [*workflow["proof"]["issuers"], *_issuers(provider)]}
    link = f"{gateway}/exceptions/{{exception_id}}"
    _merge(config / "exception_workflow.yaml", {"proof": proof, "link": link})
    return config


def _connect(config: Path, platform: DemoPlatform, audience: str) -> None:
    """The gateway accepts the platform's tokens, and the relay sends events to it."""
    file = config / "guard.yaml"
    gateway: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))["gateway"]
    issuer = {"issuer": platform.url, "audiences": [audience], "jwks": f"{platform.url}/keys"}
    requesters = [*gateway["roles"]["requester"], {"claim": "groups", "any_of": [GROUP], "issuer": platform.url}]
    roles = {**gateway["roles"], "requester": requesters}
    _merge(file, {"gateway": {**gateway, "issuers": [*gateway["issuers"], issuer], "roles": roles}})
    (config / "platform-secret").write_text(platform.secret, "utf-8")
    _merge(config / "relay.yaml", {"targets": list(platform.targets())})


def _gateway(gateway: str, provider: str) -> dict[str, Any]:
    from processors.embedded.identity import AUDIENCE, CLIENT  # noqa: PLC0415 - an optional extra

    return {
        "issuers": [{"issuer": provider, "audiences": [AUDIENCE], "jwks": f"{provider}/keys"}],
        "roles": {role: [{"claim": "groups", "any_of": groups}] for role, groups in _ROLES.items()},
        "console": {
            "url": gateway,
            "issuer": provider,
            "client_id": CLIENT,
            "authorize": f"{provider}/authorize",
            "token": f"{provider}/token",
        },
    }


def _issuers(provider: str) -> list[dict[str, Any]]:
    """The gateway may request for people of the provider, and the provider may sign their decisions."""
    from processors.embedded.identity import CLIENT  # noqa: PLC0415 - an optional extra

    return [
        {
            "issuer": GATEWAY,
            "jwks": "gateway-jwks.json",
            "proves": ["commands"],
            "speaks_for": [provider],
            "kinds": ["SERVICE_JWS"],
            "audience": "compat-guard",
        },
        {
            "issuer": provider,
            "jwks": f"{provider}/keys",
            "proves": ["decisions"],
            "kinds": ["ID_TOKEN_NONCE"],
            "audience": CLIENT,
        },
    ]


def _merge(file: Path, part: Mapping[str, Any]) -> None:
    document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    file.write_text(to_yaml({**document, **part}), "utf-8")
