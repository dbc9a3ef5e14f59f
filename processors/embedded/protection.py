"""A broker that lets nobody in without proof of who they are, and lets them do only what a rule allows.

For tests of access rules: SCRAM over TLS on the broker's port, mutual TLS on another, and Kafka's own authorizer.
The controller's listener stays open, on loopback, to whoever is on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from processors.embedded.ports import HOST

PROPERTIES: Final = """
listeners=SASL_SSL://{host}:{kafka},SSL://{host}:{mutual},CONTROLLER://{host}:{controller}
advertised.listeners=SASL_SSL://{host}:{kafka},SSL://{host}:{mutual}
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \\
  required username="{admin}" password="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([a-zA-Z0-9-]+)(,.*)?$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:ANONYMOUS
"""
"""Behind the others, whose place these take. ANONYMOUS is the broker at the controller's own listener."""

AUDIENCE: Final = "kafka"
ISSUER: Final = "https://identity.test"
"""What a token must be for, and whose it must be."""

TOKENS: Final = """
sasl.enabled.mechanisms=SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=\\
  org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class=\\
  org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
sasl.oauthbearer.jwks.endpoint.url={jwks}
sasl.oauthbearer.expected.audience={audience}
sasl.oauthbearer.expected.issuer={issuer}
"""
"""Behind those, where tokens are taken as well. A user is called like the subject of its token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What a protected broker needs. `admin` exists from the first start on, and may do everything."""

    keystore: Path
    """PEM: the key in PKCS #8, the only form that Kafka reads, and the broker's certificate."""

    truststore: Path
    """PEM: the authority that signed the broker's certificate and those of clients."""

    mutual_port: int
    """Where clients prove themselves by a certificate. A user is called like its CN."""

    admin: str = "admin"
    password: str = field(repr=False)

    tokens: Path | None = None
    """JWKS: the keys with which `ISSUER` signs tokens (OAUTHBEARER); None takes none."""

    def properties(self, kafka: int, controller: int) -> str:
        """What is added to the configuration of a broker on these ports."""
        properties = PROPERTIES.format(
            host=HOST,
            kafka=kafka,
            controller=controller,
            mutual=self.mutual_port,
            keystore=self.keystore,
            truststore=self.truststore,
            admin=self.admin,
            password=self.password,
        )
        return properties + (
            TOKENS.format(jwks=self.tokens.as_uri(), audience=AUDIENCE, issuer=ISSUER) if self.tokens else ""
        )

    @property
    def java(self) -> tuple[str, ...]:
        """What the broker's Java must allow: it reads keys only from where it is told that it may."""
        return (f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.tokens.as_uri()}",) if self.tokens else ()

    @property
    def first_user(self) -> tuple[str, ...]:
        """Arguments by which the storage is formatted with the administrator in it."""
        return ("--add-scram", f"SCRAM-SHA-512=[name={self.admin},password={self.password}]")
