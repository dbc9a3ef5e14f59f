"""A protected broker, and a command line for each principal that talks to it."""

from __future__ import annotations

import os
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import trustme
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization
from examples import commands
from examples.gateways import Edge, Provider, Replica
from examples.tokens import TokenIssuer

from processors.contracts.access import ROLES
from processors.embedded import Addresses, Stack
from processors.embedded.ports import HOST, free_port
from processors.embedded.protection import Protection

FAR = "broker.test"
"""A name for the broker that is not loopback's, for whoever finds an address of this machine behind it: the guard
insists on all that it insists on in production then. The broker's certificate is for it too."""


class Protected:
    """The broker, its users, and what each of them runs. One user for each role, called like it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca))
        self._passwords = {name: secrets.token_hex(8) for name in ("admin", "nobody", *(r.name for r in ROLES))}
        keystore = folder / "broker.pem"
        certificate = self._authority.issue_cert(HOST, "localhost", FAR)
        keystore.write_bytes(_pkcs8(certificate) + b"".join(p.bytes() for p in certificate.cert_chain_pems))
        self.tokens = TokenIssuer(folder, self._authority, self._passwords)
        self.protection = Protection(
            keystore=keystore,
            truststore=self.ca,
            mutual_port=free_port(),
            password=self._passwords["admin"],
            tokens=self.tokens.keys,
        )

    @contextmanager
    def running(self, registry: str | None = None) -> Iterator[Protected]:
        """On a broker of its own; `registry` names that of other servers, where it may be shared."""
        with (
            self.tokens.running(),
            Stack(self.folder / "stack", protection=self.protection, registry=registry) as stack,
        ):
            self.addresses: Addresses = stack.addresses
            self._make_users()
            yield self

    def client(self, user: str) -> dict[str, Any]:
        """What a Kafka client is told to be that user."""
        return {
            "bootstrap.servers": self.addresses.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": self._passwords[user],
            "ssl.ca.location": str(self.ca),
        }

    def environment(self, user: str) -> dict[str, str]:
        """The same for our own commands; the password comes from a file, as orchestrators hand it out."""
        file = self.password_file(user)
        return {
            **self._surroundings(),
            "GUARD_KAFKA__BOOTSTRAP": self.addresses.bootstrap,
            "GUARD_KAFKA__SECURITY": "SASL_SSL",
            "GUARD_KAFKA__USERNAME": user,
            "GUARD_KAFKA__PASSWORD_FILE": str(file),
        }

    def password_file(self, user: str) -> Path:
        file = self.folder / f"{user}.password"
        file.write_text(self._passwords[user] + "\n")
        return file

    def certified(self, user: str) -> dict[str, str]:
        """Our own commands as that user by a client certificate, without any password."""
        certificate = self._authority.issue_cert(HOST, common_name=user)
        chain, key = self.folder / f"{user}.pem", self.folder / f"{user}.key"
        chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
        key.write_bytes(_pkcs8(certificate))
        return {
            **self._surroundings(),
            "GUARD_KAFKA__BOOTSTRAP": f"{HOST}:{self.protection.mutual_port}",
            "GUARD_KAFKA__SECURITY": "SSL",
            "GUARD_KAFKA__CERTIFICATE": str(chain),
            "GUARD_KAFKA__KEY": str(key),
        }

    def by_token(self, user: str) -> dict[str, str]:
        """Our own commands as that user by a token, for which they ask with the user's name and secret."""
        return self.environment(user) | {
            "GUARD_KAFKA__MECHANISM": "OAUTHBEARER",
            "GUARD_KAFKA__TOKEN_URL": self.tokens.url,
            "GUARD_KAFKA__TOKEN_CA": str(self.ca),
            "GUARD_KAFKA__SCOPE": "kafka",
        }

    def run(self, user: str, *words: str, code: int = 0, environment: dict[str, str] | None = None) -> str:
        """`compat-guard` as that user; what it wrote to stdout, or to stderr where it was to fail with 2."""
        done = commands.run(*words, environment=environment or self.environment(user))
        assert done.returncode == code, f"{user}: {words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stderr if code == 2 else done.stdout

    @contextmanager
    def processors(self, *names: str, **more: str) -> Iterator[None]:
        """Each in a process of its own, under its own principal; `more` are further variables of all of them."""
        with ExitStack() as closing:
            for name in names:
                closing.callback(_stop, commands.start("run", name, environment=self.environment(name) | more))
            yield

    @contextmanager
    def gateway(self, provider: Provider, **more: str) -> Iterator[Replica]:
        """One under its own principal, beside the identity provider that it trusts."""
        edge = Edge(self.addresses, self.folder, provider)
        own = {name: edge.environment[name] for name in ("GUARD_CONFIG", "GUARD_GATEWAY__SIGNING_KEYS")}
        with edge.gateways(**self.environment("gateway"), **own, **more) as (replica,):
            yield replica

    def denied(self) -> defaultdict[str, set[str]]:
        """By user, what the broker has denied so far, as its log says."""
        log = (self.folder / "stack" / "logs" / "kafka.log").read_text("utf-8", "replace")
        found: defaultdict[str, set[str]] = defaultdict(set)
        for user, what in re.findall(r"Principal = User:(\S+) is Denied operation = (.*?) for request", log):
            found[user].add(what)
        return found

    def _surroundings(self) -> dict[str, str]:
        return {
            **os.environ,
            "GUARD_KAFKA__CA": str(self.ca),
            "GUARD_REGISTRY__URL": self.addresses.registry,
            "GUARD_POSTGRES__URL": self.addresses.postgres,
            "GUARD_DEVELOPMENT": str(self.folder / "development"),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def _make_users(self) -> None:
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        users = [
            UserScramCredentialUpsertion(user, how, password.encode())
            for user, password in self._passwords.items()
            if user != "admin"
        ]
        admin = AdminClient(self.client("admin"))  # it must outlive the answers
        asked = cast(Any, admin).alter_user_scram_credentials(users)
        for made in asked.values():
            made.result(30)


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _stop(process: commands.Started) -> None:
    process.terminate()
    assert process.wait(30) == 0
