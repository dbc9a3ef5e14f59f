"""How people write secrets into a sentence, and what they write that holds none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.masking.texts import scrub

FORMS = (
    "the password is {secret}",
    "password = {secret}",
    "my password {secret} works",
    "password {secret}",
    "pw {secret}",
    "the password for the database is {secret}",
    "the password of root was {secret}",
    "the admin password for staging is {secret}.",
    "I set the password to {secret}",
    "password set to {secret}",
    "we changed the password from {secret} to a new one",
    "the new password will be {secret}",
    "the password became {secret}",
    "password equals {secret}",
    "password -> {secret}",
    "password → {secret}",
    "password – {secret}",
    "password - {secret}",
    "password | {secret}",
    "password / {secret}",
    "password ({secret})",
    "password [{secret}]",
    "password <{secret}>",
    "password `{secret}`",
    'password "{secret}"',
    "password '{secret}'",
    "**password**: {secret}",
    "`password`: {secret}",
    "password:\n{secret}",
    "password\n{secret}",
    "log in with password {secret}",
    "login root/{secret}",
    "login: root / {secret}",
    "user root pass {secret}",
    "root:{secret} on db1",
    "use root with {secret} as password",
    "{secret} is the password",
    "the password (it is {secret}) works",
    "credentials: root {secret}",
    "creds root/{secret}",
    "credentials are root and {secret}",
    "the token is {secret}",
    "token {secret} expires",
    "the api key {secret} was used",
    "api key: {secret}",
    "api key is {secret}",
    "access key {secret}",
    "secret {secret}",
    "the secret is: {secret}",
    "the client secret is {secret}",
    "das Passwort lautet {secret}",
    "das Passwort ist {secret}",
    "das Kennwort heißt {secret}",
    "mot de passe: {secret}",
    "le mot de passe est {secret}",
    "contraseña: {secret}",
    "senha: {secret}",
    "wachtwoord: {secret}",
    "пароль: {secret}",
    "密码：{secret}",
    "hasło: {secret}",
    "password={secret}",
    "pwd {secret}",
    "p/w: {secret}",
    "pass phrase: {secret}",
    "passwd {secret}",
    "PASSWORD is now {secret}",
    "password is currently {secret}",
    "password is still {secret}",
    "password: is {secret}",
    "sudo -S <<< {secret}",
    "echo {secret} | sudo -S ls",
    "psql postgres://guard:{secret}@db",
    "PGPASSWORD={secret} psql",
    "SSHPASS={secret} sshpass -e ssh x",
    "redis-cli -a {secret}",
    "export TOKEN={secret}",
    "set password={secret};",
    "IDENTIFIED BY '{secret}'",
    "-Dpassword={secret}",
    "<password>{secret}</password>",
    "password%3D{secret}",
    "X-Api-Key: {secret}",
    "apikey {secret}",
    "the key is {secret}",
    "passcode is {secret}",
    "passcode {secret}",
    "the PIN is {pin}",
    "PIN {pin}",
    "pin code {pin}",
    "otp {pin}",
    "one-time code {pin}",
    "2fa code: {pin}",
)
"""Ways of writing a secret. `secret` has letters and digits, `pin` is digits alone."""

HARMLESS = (
    "the token has expired; ask for a new one",
    "rotate the api key before Friday",
    "token refresh needs oauth2",
    "the secret store runs k8s 1.29",
    "passwords are hashed with argon2id",
    "password policy needs 12 characters",
    "the access token of com.acme.crm 1.5.0 was rejected",
    "tokens expire after 3600 s",
    "password hashing moves from sha256 to bcrypt",
    "sign the token with es256",
    "the private key lies in vault",
    "secret rotation every 90 days",
    "inventory-sync 1.5.0 needs corex >=2.0.0, and this host runs 1.9.0",
    "see ticket OPS-4711 for the login page",
    "login page v2 is broken",
    "the login form of corex 2.0.0 needs JavaScript",
    "security code review of 2026",
    "pin the version at 1.4.2",
    "pinned to 2.0.0",
    "pass 2 of 3 has begun",
    "all 120 checks pass",
    "by-pass the cache for node14",
    "the key is rotated monthly",
    "the key is in the safe",
    "verification takes 3000 ms",
    "root/etc is mounted",
    "admin: alice approved it",
    "echo hello | tee log",
    "identify the host by name",
    "the token bucket holds 1000 tokens",
    "session id is kept in redis",
    "request 0b0e2f3a-94a6-5a0c-8f0c-1d9b6c9b6a11 used token 0b0e2f3a-94a6-5a0c-8f0c-1d9b6c9b6a11",
    "the plugin com.acme.token 3.1.4 needs com.acme.secrets 2.2.0",
    "password-manager 1.2.3 does not run on corex 1.9.0",
    "senhalib 2.1 is needed",
    "a has-one relation",
    "token v2beta1 of the API",
    "credentials of the warehouse were rotated on 2026-01-02",
    "security-baseline 2026 is required",
    "one-time setup took 15 minutes",
    "the security context is 2048 bytes",
    "MFA is required since 2025",
    "the 2fa rollout reached 1500 people",
    "creds are in vault since 2024",
    "log in as alice at 10:30",
    "postgres: 17.2 is fine",
    "postgres/16 image",
    "admin/console is slow",
    "the api key is required",
    "pin 1.4.2",
    "compass 2024",
    "password reset mails went to 4711 people",
)

LETTERS, DIGITS = "abcdefghijkmnopqrstuvwxyz", "123456789"
secrets = st.builds(
    lambda begin, digits, end: f"{begin}{digits}{end}",
    st.text(LETTERS, min_size=4, max_size=8).filter(lambda text: not text.startswith(("http", "oauth", "utf"))),
    st.text(DIGITS, min_size=1, max_size=4),
    st.text(LETTERS + "!$#", max_size=6),
)
versions = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,3}){2}(-rc\.[0-9])?", fullmatch=True)
names = st.sampled_from(
    ["com.acme.token", "com.acme.password-vault", "org.secrets", "auth-tokens", "api-key-manager"]
)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_prose_goes(form: str) -> None:
    masked = scrub(form.format(secret="hunter2", pin="471100"))

    assert "hunter2" not in masked
    assert "471100" not in masked


@pytest.mark.parametrize("text", HARMLESS)
def test_a_sentence_without_a_secret_stays(text: str) -> None:
    assert scrub(text) == text


@given(st.sampled_from(FORMS), secrets, st.text(DIGITS, min_size=4, max_size=8))
def test_whatever_the_secret_is_it_goes(form: str, secret: str, pin: str) -> None:
    masked = scrub(form.format(secret=secret, pin=pin))

    assert (secret if "{secret}" in form else pin) not in masked
    assert scrub(masked) == masked


@given(names, versions, names, versions)
def test_plugins_that_are_called_after_secrets_keep_their_names(a: str, one: str, b: str, two: str) -> None:
    for text in (f"{a} {one} needs {b} >={two}", f"install {a} {one}, or upgrade {b} to {two}"):
        assert scrub(text) == text


@pytest.mark.parametrize(
    "part", ["password for a ", "echo a", "a1 ", "<a", "login a ", "key is ", "password -> ", "pin "]
)
def test_hostile_prose_is_masked_in_time(part: str) -> None:
    """The time grows with the length of a text: what is a second here would be minutes otherwise."""
    started = time.perf_counter()
    scrub(part * 20_000)

    assert time.perf_counter() - started < 5
