from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.configuration.settings import shipped
from processors.documents.canonical import digest_of
from processors.errors import SettingsInvalid
from processors.masking.masker import HIDDEN, Masker, claims_of, treatments
from processors.masking.patterns import HINTS, SECRETS
from processors.masking.pseudonyms import PseudonymKeys, shown
from processors.masking.texts import LONGEST_TEXT, may_hold_secret, scrub, word

OLD = PseudonymKeys("k1", {"k1": b"1" * 32})
BOTH = PseudonymKeys("k2", {"k1": b"1" * 32, "k2": b"2" * 32})
MASKER = Masker(OLD)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("the password=hunter2horse works", "hunter2horse", id="password by equals sign"),
        pytest.param("password: 'correct horse battery'", "battery", id="quoted password with spaces"),
        pytest.param("the passphrase is tr0ub4dor&3", "tr0ub4dor", id="password told in words"),
        pytest.param('{"api_key": "abc123def"}', "abc123def", id="key in JSON"),
        pytest.param("DB_SECRET_TOKEN=zzz999", "zzz999", id="environment variable"),
        pytest.param("use ghp_abcdefghijklmnop1234", "ghp_abcdefghijklmnop1234", id="GitHub token"),
        pytest.param("AKIAIOSFODNN7EXAMPLE in config", "AKIAIOSFODNN7EXAMPLE", id="AWS key id"),
        pytest.param("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl", id="bearer"),
        pytest.param("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "eyJzdWIiOiJhIn0", id="signed token"),
        pytest.param("postgres://guard:geheim@db/x", "geheim", id="credentials in a URL"),
        pytest.param("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n", "MHcCAQ", id="key without an end"),
        pytest.param("mail alice@example.com", "alice@example.com", id="e-mail"),
        pytest.param("from 10.20.30.40 today", "10.20.30.40", id="IPv4"),
        pytest.param("from fe80::1ff:fe23:4567:890a", "fe23:4567", id="IPv6"),
        pytest.param("call +43 660 123 4567", "660 123", id="phone"),
        pytest.param("ｐａｓｓｗｏｒｄ＝ｈｕｎｔｅｒ２", "hunter2", id="full width"),
        pytest.param("pass\u200bword=hunter2", "hunter2", id="zero width inside"),
        pytest.param("q9X2mPz7Lk4Rt8Wv3Bn6Hj1Cd5Fg0Sy", "q9X2mPz7", id="long run of letters and digits"),
        pytest.param("pass: hunter2", "hunter2", id="pass"),
        pytest.param("the pw=hunter2", "hunter2", id="pw"),
        pytest.param("dbPass=hunter2", "hunter2", id="short word within a name"),
        pytest.param("PIN=4711", "4711", id="PIN by equals sign"),
        pytest.param("the otp is 471100", "471100", id="one time password in words"),
        pytest.param("Passwort: hunter2", "hunter2", id="German password"),
        pytest.param("login --password hunter2", "hunter2", id="password as an option"),
        pytest.param("--db-token 'hun ter2'", "ter2", id="quoted option"),
        pytest.param("mysql -u root -phunter2 shop", "hunter2", id="password of mysql"),
        pytest.param("https://x.blob/y?sv=1&sig=hunter2&se=3", "hunter2", id="shared access signature"),
        pytest.param("curl -u admin:hunter2 https://x", "hunter2", id="short password of curl"),
        pytest.param("curl -u admin:S3cr3tS3cr3tS3cr3tS3cr3t0", "S3cr3t", id="long password of curl"),
        pytest.param("x admin:S3cr3tS3cr3tS3cr3tS3cr3t0", "S3cr3t", id="long run behind a colon"),
        pytest.param("amqp://guard:hun/ter2@rabbit/vh", "ter2", id="slash in a URL's password"),
        pytest.param("postgres://guard:hun@ter2@db/x", "ter2", id="at sign in a URL's password"),
        pytest.param("Authorization: Token hunter2", "hunter2", id="any scheme"),
        pytest.param('{"Authorization": "ApiKey hunter2"}', "hunter2", id="any scheme in JSON"),
        pytest.param("Proxy-Authorization: hunter2", "hunter2", id="no scheme"),
        pytest.param('Authorization: Digest username="x", response="hunter2"', "hunter2", id="scheme with a list"),
        pytest.param("curl -u 'admin:hun ter2' https://x", "ter2", id="quoted password of curl"),
        pytest.param("secret: 'it''s hunter2'", "hunter2", id="doubled quote in YAML"),
        pytest.param("Cookie: a=b; session=hunter2", "hunter2", id="one of several cookies"),
        pytest.param("Password: correct horse battery", "battery", id="password with spaces"),
        pytest.param("password=hun,ter2", "ter2", id="comma in a password"),
        pytest.param('{"password": "hun\\"ter2"}', "ter2", id="escaped quote in a password"),
        pytest.param('{"a": "{\\"password\\": \\"hun ter2\\"}"}', "ter2", id="JSON in JSON"),
    ],
)
def test_free_text_loses_its_secrets(text: str, secret: str) -> None:
    """What looks like a secret or an address is not stored."""
    assert secret not in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "inventory-sync 1.5.0 needs corex >=2.0.0, and this host runs 1.9.0.",
        "request 0b0e2f3a-94a6-5a0c-8f0c-1d9b6c9b6a11 was blocked",
        "report sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "inventory-sync@1.5.0 does not run on corex@1.9.0",
        "the migration is irreversible; upgrade to 2.0.0-rc.1+build.7 first",
        '{"report_digest":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","score":75}',
        "pin: 1.4.2 of com.powerx.plugins.inventory-sync",
        "broker kafka-1.internal:9093 does not answer; see http://docs:8080/corex/inventory@1.5.0",
        "approved by k1:9f86d081884c7d659a2feaa0c55ad015",
        "approved by k3f9a12bc:9f86d081884c7d659a2feaa0c55ad015",
        "all checks pass, bypass: none, compass=west",
        "sort -u and docker run -u 1000:1000 corex",
        "the signature is not that of the key that the proof names",
    ],
)
def test_ordinary_sentences_stay(text: str) -> None:
    """Versions, ids and digests are what an auditor needs."""
    assert scrub(text) == text


GOLDEN = sorted((Path(__file__).parents[2] / "data" / "golden").glob("*.txt"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_reports_stay(path: Path) -> None:
    """Whatever the guard itself says of a plugin can be read in the ledger."""
    for line in path.read_text().splitlines():
        assert scrub(line) == line


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2, user=bob",
        '{"password": "hunter2", "user": "bob"}',
        "Authorization: Token hunter2 for bob",
        "Password: hunter2, as bob said",
    ],
)
def test_what_stands_beside_a_secret_stays(text: str) -> None:
    """And masked text is not masked further."""
    masked = scrub(text)

    assert "hunter2" not in masked
    assert "bob" in masked
    assert scrub(masked) == masked


@pytest.mark.parametrize(
    "part",
    [
        *(
            "a",
            "a.",
            "token",
            "password is ",
            "password=\\",
            'password=\\"',
            "authorization ",
            "cookie",
            "-u ",
            "--a",
        ),
        *(
            "://",
            "://a:b",
            "://a@",
            "login -p",
            "mysql ",
            "eyJ-",
            "pin ",
            "A1/",
            "=,",
            "&a=",
            "1.",
            "0:",
            "@",
            '"',
            " ",
        ),
    ],
)
def test_hostile_text_is_masked_in_time(part: str) -> None:
    """However a text is built, the time grows with its length: what is a second here would be minutes otherwise."""
    started = time.perf_counter()
    scrub(part * 20_000)
    scrub(f"password {part * 20_000}")

    assert time.perf_counter() - started < 5


@given(st.text(max_size=300))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    """Masked text is safe to mask again, and holds no control or direction marks."""
    once = scrub(text)

    assert scrub(once) == once
    assert not any(c in once for c in "\0\x1b\u202e\u200b\r")


def test_long_texts_are_capped() -> None:
    """A megabyte of reason does not become a megabyte of ledger."""
    assert len(scrub("x y " * 300_000)) == LONGEST_TEXT


def test_every_pattern_has_a_hint() -> None:
    """The quick look before the patterns never overlooks what a pattern would find."""
    samples = [
        *("-----BEGIN X KEY-----", "eyJabcdefg.abc", "Basic abcdefgh", "a://b:c@d", "negotiate abcdefgh"),
        *("gho_0123456789abcdef", "xoxb-12345678", "sk_live_12345678", "glpat-0123456789abcdef"),
        *("api-key=1", "access_key: 2", "private-key=3", "credentials=4", "cookie=5", "session-id=6", "pwd=7"),
        *("pw: 1", "PIN=471", "otp is 1", "sig=1", '"signature": "1"', "pass=1", "kennwort=1", "--token x"),
        *("mysql -px", "-u a:b", "--user=a:b", "Authorization: Token x"),
        *("hvs.0123456789abcdef", "SG.12345678", "ya29.12345678", "npm_0123456789abcdefghij", "ASIA0123456789AB"),
    ]
    for sample in samples:
        assert any(pattern.search(sample) for pattern, _ in SECRETS), sample
        assert may_hold_secret(sample), sample
    assert all(hint == hint.lower() for hint in HINTS)


def test_every_field_of_every_event_is_classed() -> None:
    """A field without a treatment would be hidden, and nobody could search it."""
    unknown = {name for name in _field_names() if name not in treatments()}

    assert unknown == set()


def test_an_unknown_field_is_hidden() -> None:
    """What we do not know we do not show, however deep it lies."""
    masked = MASKER.event({"tenant": "t", "shoe_size": "44", "subject": {"shoe_size": ["44"]}})

    assert masked == {"tenant": "t", "shoe_size": HIDDEN, "subject": {"shoe_size": HIDDEN}}


def test_numbers_pass_and_floats_do_not() -> None:
    """There is no canonical form of a float, and no event has one."""
    assert MASKER.event({"score": 3, "valid_until": None, "uses": 1.5}) == {
        "score": 3,
        "valid_until": None,
        "uses": HIDDEN,
    }


def test_people_become_pseudonyms_that_can_be_searched() -> None:
    """Case and outer space do not make another person, and the name itself is gone."""
    one, other = MASKER.pseudonym("Alice@Example.com"), MASKER.pseudonym(" alice@example.com")

    assert one == other
    assert MASKER.event({"operator": "alice@example.com"}) == {"operator": f"{one} (a…@e…)"}


def test_an_old_key_still_finds_what_it_wrote() -> None:
    """Rotation changes what is written, not what can be found."""
    written = OLD.pseudonym("alice")

    assert BOTH.pseudonym("alice") != written
    assert written in BOTH.pseudonyms("alice")


def test_a_short_key_is_refused() -> None:
    """A pseudonym under a short key could be guessed."""
    with pytest.raises(SettingsInvalid):
        PseudonymKeys("k1", {"k1": b"short"})


def test_a_proof_is_kept_as_digest_only() -> None:
    """Whoever reads the ledger must not be able to replay an approval."""
    masked = MASKER.event({"proof": "eyJh.eyJi.c2ln"})

    assert masked["proof"].startswith("sha256:")


def test_a_message_to_people_is_kept_as_digest_only() -> None:
    """It names others than its recipient; whom, the event that it is about says in pseudonyms."""
    body = "**What happened:** an exception is approved, at noon, by bob."
    kept = MASKER.event({"recipient": "alice", "subject": "an exception is approved", "body": body})

    assert kept["body"] == digest_of(body.encode())
    assert kept["subject"] == "an exception is approved"


def test_json_in_a_string_is_masked_by_field() -> None:
    """The workflow's state is a document in a string: its people and texts are treated as anywhere."""
    masked = MASKER.event({"document": json.dumps({"requester": "bob", "tenant": "t", "risk_statement": "pwd=x1"})})

    assert masked["document"]["requester"].endswith("(b…)")
    assert masked["document"]["tenant"] == "t"
    assert "x1" not in masked["document"]["risk_statement"]


def test_a_label_that_names_a_secret_loses_its_value() -> None:
    """Names of the sender's choice count as text: `db_password: hunter2` is one secret in two places."""
    masked = MASKER.event({"labels": {"db_password": "correct hunter2", "PIN": "hunter2", "team": "blue"}})

    assert "hunter2" not in json.dumps(masked)
    assert masked["labels"]["team"] == "blue"


@pytest.mark.parametrize("field", ["labels", "extra", "hosts"])
def test_a_secret_in_the_name_of_a_label_goes(field: str) -> None:
    """Also an address, and a name without end."""
    names = ("password=hunter2", "https://bob:hunter2@example.com", "mail hunter2@example.com", "x" * 100_000)
    masked = MASKER.event({field: dict.fromkeys(names, "blue")})

    assert "hunter2" not in json.dumps(masked)
    assert len(json.dumps(masked)) < 1000


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.!!.c", "a.bnVsbA.c"])
def test_what_is_no_token_claims_nothing(token: str) -> None:
    """Claims are for search only, so that nonsense is simply not found."""
    assert claims_of(token) == {}


def test_a_display_form_says_little() -> None:
    """Enough to recognise a colleague, too little to learn a name."""
    assert (shown("alice@example.com"), shown("ci-bot"), shown("")) == ("a…@e…", "c…", "…")


def test_a_version_with_a_secret_in_it_loses_the_secret() -> None:
    """A plain field is not trusted to be plain."""
    assert "hunter2" not in word("1.0.0+password=hunter2")


def test_a_key_in_a_plain_field_goes() -> None:
    """Nobody asked for it, but somebody pastes one where an id belongs."""
    assert "MDENG" not in word("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize(
    "text",
    [
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "k1:9f86d081884c7d659a2feaa0c55ad015",
        "k3f9a12bc:9f86d081884c7d659a2feaa0c55ad015",
        "0ujsswThIGTUYm2K8FjOOfXtY1K",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "com.powerx.plugins.inventory-sync",
    ],
)
def test_ids_and_digests_in_plain_fields_stay(text: str) -> None:
    """Commits, pseudonyms and ids of other systems are what one searches by."""
    assert word(text) == text


def _field_names() -> Iterator[str]:
    for path in sorted(shipped("schemas").glob("*.avsc")):
        yield from _names(json.loads(path.read_text()))


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _names(item)
    elif isinstance(schema, dict):
        for item in schema.get("fields", ()):
            yield item["name"]
            yield from _names(item["type"])
        for inner in ("type", "items", "values"):
            if isinstance(schema.get(inner), dict | list):
                yield from _names(schema[inner])


def test_people_who_were_met_stay_until_somebody_has_filed_them() -> None:
    """A batch that is given up is masked again from memory, and its people must be filed all the same."""
    masker = Masker(PseudonymKeys("k1", {"k1": b"k" * 32}))
    first = masker.pseudonym("alice@example.com")
    assert masker.person("alice@example.com").startswith(first)

    assert masker.met == {first: "alice@example.com"}
    masker.met.clear()
    assert masker.pseudonym("alice@example.com") == first
    assert masker.met == {}
