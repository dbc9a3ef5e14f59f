"""What may be stored or logged of an event: people become pseudonyms, free text loses its secrets.

Each field has a treatment by its name, whatever event it is in. A field that nobody classed is hidden whole: what
we do not know we do not show. Masking is deterministic under one set of keys, and never raises on odd text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

from processors.documents.canonical import digest_of
from processors.errors import SettingsInvalid

LONGEST_TEXT: Final = 4000
"""Characters of a free text that are kept."""

LONGEST_WORD: Final = 500
"""Characters of an id, a version or another plain field that are kept."""

DEEPEST: Final = 32
HIDDEN: Final = "[masked]"

_MOST_MET: Final = 10_000
"""More people than any batch has: where nobody empties the list, it ends here."""

Treatment = Callable[["Masker", Any, int], Any]


@dataclass(frozen=True, slots=True)
class PseudonymKeys:
    """Secret keys by id. `current` is used for what is written; the others still find what was written before."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise SettingsInvalid(f"pseudonym key `{self.current}` is current, but is not among the keys")
        if any(len(key) < 32 for key in self.keys.values()):
            raise SettingsInvalid(
                "a pseudonym key has fewer than 32 bytes; make one with `compat-guard ledger keys`"
            )

    def pseudonym(self, person: str, key_id: str | None = None) -> str:
        """`<key id>:<hex>`: 128 bits of HMAC-SHA256. Case, width and outer space of the name do not matter."""
        key_id = key_id or self.current
        name = unicodedata.normalize("NFKC", person).strip().casefold()
        digest = hmac.new(self.keys[key_id], name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        return f"{key_id}:{digest[:32]}"

    def pseudonyms(self, person: str) -> list[str]:
        """All names a person may have in the ledger, one for each key that was ever current."""
        return [self.pseudonym(person, key_id) for key_id in self.keys]


class Masker:
    """Masks events under one set of keys. Remembers the pseudonyms of people it met lately."""

    def __init__(self, keys: PseudonymKeys) -> None:
        self.keys = keys
        self.met = dict[str, str]()
        """Names by pseudonym of people who were met since this was emptied last."""
        self._pseudonym = lru_cache(maxsize=10_000)(self._meet)
        self._shown_person = lru_cache(maxsize=10_000)(self._show_person)

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event as it may be stored. Numbers, booleans and null pass; the input is left alone."""
        return self._record(event, 0)

    def pseudonym(self, person: str) -> str:
        """The searchable name of a person; empty for nobody."""
        return self._pseudonym(person) if person else ""

    def person(self, person: str) -> str:
        """Pseudonym and a shortened display form, such as `k1:3f… (a…@e…)`; empty for nobody."""
        return self._shown_person(person) if person else ""

    def _meet(self, person: str) -> str:
        pseudonym = self.keys.pseudonym(person)
        if len(self.met) < _MOST_MET:
            self.met[pseudonym] = person
        return pseudonym

    def _show_person(self, person: str) -> str:
        return f"{self.pseudonym(person)} ({shown(person)})"

    def _record(self, record: Mapping[str, Any], depth: int) -> dict[str, Any]:
        masked: dict[str, Any] = {}
        for name, value in record.items():
            treat = TREATMENTS.get(name)
            if treat is _plain and type(value) is str:  # most of what there is
                masked[name] = word(value)
            elif value is None or type(value) is int or type(value) is bool:
                masked[name if treat else word(name)] = value
            elif treat is None:
                masked[word(name)] = HIDDEN
            else:
                masked[name] = treat(self, value, depth)
        return masked

    def _nested(self, value: Any, depth: int, leaf: Treatment) -> Any:
        """Go into records and lists, and treat the texts that lie in them as the field they came in."""
        if isinstance(value, str):
            return leaf(self, value, depth)
        if depth >= DEEPEST:
            return HIDDEN
        if isinstance(value, Mapping):
            return self._record(cast("Mapping[str, Any]", value), depth + 1)
        if isinstance(value, list):
            return [self._nested(item, depth + 1, leaf) for item in cast("list[Any]", value)]
        return value if value is None or isinstance(value, int) else HIDDEN


def _plain(masker: Masker, value: Any, depth: int) -> Any:
    return word(value) if isinstance(value, str) else masker._nested(value, depth, _plain)  # pyright: ignore[reportPrivateUsage]


def _person(masker: Masker, value: Any, depth: int) -> Any:
    return masker.person(value) if isinstance(value, str) else masker._nested(value, depth, _person)  # pyright: ignore[reportPrivateUsage]


def _text(masker: Masker, value: Any, depth: int) -> Any:
    return scrub(value) if isinstance(value, str) else masker._nested(value, depth, _text)  # pyright: ignore[reportPrivateUsage]


def _digest(_masker: Masker, value: Any, _depth: int) -> Any:
    """A signed proof is a token: whoever holds it could replay it. What it claims is stored apart."""
    return digest_of(value.encode("utf-8", "replace")) if isinstance(value, str) else HIDDEN


def _anchor_signature(masker: Masker, value: Any, depth: int) -> Any:
    """Of an anchor it is public, and needed to verify it; any other token is one."""
    is_anchors = isinstance(value, str) and {"anchor_id", "head", "sequence"} <= claims_of(value).keys()
    return value if is_anchors else _digest(masker, value, depth)


def _document(masker: Masker, value: Any, depth: int) -> Any:
    """JSON in a string: its fields are treated like any others; what is not JSON is free text."""
    if not isinstance(value, str):
        return HIDDEN
    try:
        document: Any = json.loads(value)
    except (ValueError, RecursionError):
        return scrub(value)
    return masker._nested(document, depth, _text)  # pyright: ignore[reportPrivateUsage]


def _labels(_masker: Masker, value: Any, _depth: int) -> Any:
    """A map with names of the sender's choice: both sides are free text."""
    if not isinstance(value, Mapping):
        return HIDDEN
    pairs = cast("Mapping[str, Any]", value)
    return {word(name): labelled(name, str(text)) for name, text in pairs.items()}


_PEOPLE = "operator actor requester by owner publisher recipient approver sub order_key"
_TEXTS = (
    "statement risk_statement reason summary sentence help why notes remediation_note compensating_controls "
    "subject name problem docs link url message says"
)
_PLAIN = (
    "acknowledgement action addons advisories affected aliases also amr anchor_id approval_id arrivals at "
    "auth_time band basis_digest batches block_id category caused_by channel checksum claims code combined_bp "
    "command_id component_id components conflicts constraint consumes contributions cost count data_format "
    "database databases decision_id decisive defects derived_from dialect digest dimension distance driver "
    "due_at effect effective_date enabled engine entry environment event event_id exception_id exp expired "
    "expires_at finding_codes finding_ids findings fixed floor found from_state ground from_version head host "
    "host_range host_version iat id input_digest installed iss issued_at jti kind level lifecycle manifest "
    "max_host max_version migrations min_host min_version monitoring monitoring_addons monitoring_profile "
    "next_offset notification_id object once optional outcome outcome_id overrides part partition parts path "
    "plugin plugin_id plugin_version policies policy_id previous_version profile proof_kind provides "
    "published_at range reason_code recheck_of refresh refusals releases remediations replacement replaces "
    "report report_digest request_id requested_at requester_issuer required required_baseline requires "
    "result_id reversible revision risk roles root round row rows rows_weighed rules runtimes schema score "
    "security_baseline security_event sequence severities severity severity_percent since single_use size "
    "source sources stated_by status step sunset_at target tenant to to_state to_version topic until urgency "
    "use_id uses valid_until verdict verified version waiting_step weight_bp what withdrawn_at "
    "attempts changed_at command delivery endpoint known_since mode next_at not_before offset pause refusals "
    "compatible_since serial standing type urgent withdrawn "
    "changes chosen closest cures derivation finding leaves_open steps together with_request "
)

TREATMENTS: Final[Mapping[str, Treatment]] = {
    **dict.fromkeys(_PLAIN.split(), _plain),
    **dict.fromkeys(_PEOPLE.split(), _person),
    **dict.fromkeys(_TEXTS.split(), _text),
    **dict.fromkeys(("document", "settings", "decision"), _document),
    **dict.fromkeys(("labels", "extra", "hosts"), _labels),
    "proof": _digest,
    "body": _digest,  # a message names people to people; what it tells is in the event that it is about
    "signature": _anchor_signature,
}
"""How each field of each event is treated, by its name. A test holds this against schemas/."""


def shown(person: str) -> str:
    """Enough of a name to recognise whom one knows, too little to learn it: `a…@e…`, `b…`."""
    parts = [clean(part)[:1] for part in person.strip().split("@")[:2]]
    return "@".join(f"{part}…" for part in parts)


def claims_of(token: str) -> dict[str, Any]:
    """What a compact JWS claims, unverified; empty if it is none. For search only, never for a decision."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 100_000:
        return {}
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return cast("dict[str, Any]", claims) if isinstance(claims, dict) else {}


def word(text: str) -> str:
    """A plain field: an id, a version, a code. Secrets that are in it by mistake go all the same."""
    return _word(text) if len(text) < 36 or not _is_id(text) else text


_is_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:sha256:)?[0-9a-f]{64}").fullmatch
"""Ids are never the same twice, so that remembering them would be of no use."""


@lru_cache(maxsize=65_536)
def _word(text: str) -> str:
    if len(text) > LONGEST_WORD or not (text.isascii() and text.isprintable()):
        text = clean(text)[:LONGEST_WORD]
    if may_hold_secret(text):
        text = _without(_SECRETS, text)
    return _without(_OPAQUE_WORD, text) if len(text) >= _SHORTEST_OPAQUE_WORD else text


def labelled(name: str, text: str) -> str:
    """Free text under a name of the sender's choice: of `db_password` nothing is left, whatever it looks like."""
    return "[secret]" if _is_secrets_name(name) else scrub(text)


def scrub(text: str, limit: int = LONGEST_TEXT) -> str:
    """Free text as it may be stored: normalised, printable, capped, without secrets and addresses."""
    return _scrub_again(text, limit) if len(text) < 500 else _scrub(text, limit)


def _scrub(text: str, limit: int) -> str:
    text = clean(text[: 2 * limit])
    if may_hold_secret(text):
        text = _without(_SECRETS, text)
    for patterns in (_ADDRESSES, _OPAQUE):
        text = _without(patterns, text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


_scrub_again = lru_cache(maxsize=16_384)(_scrub)
"""Most texts are our own sentences, and come again and again."""


def may_hold_secret(text: str) -> bool:
    """Whether any of the patterns could match: each needs one of these hints. A test holds the two together."""
    if len(text) < _SHORTEST_SECRET:
        return False
    lowered = text.lower()
    return any(map(lowered.__contains__, _HINTS))


def clean(text: str) -> str:
    """NFKC, and nothing that a terminal, a browser or Postgres would take for a command: no controls, no marks of
    direction, no zero width, no surrogates, no NUL. Line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(c for c in normal if c in "\n\t" or unicodedata.category(c)[0] != "C")


def _without(patterns: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str:
    for pattern, instead in patterns:
        text = pattern.sub(instead, text)
    return text


_SHORTEST_SECRET = 5
_HINTS = (
    *("-----begin", "eyj", "gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat", "glpat", "xox", "xapp-", "sk-"),
    *("k_live_", "k_test_", "akia", "asia", "aiza", "npm_", "pypi-", "hvs.", "hvb.", "ya29", "sg.", "dop_v1"),
    *("bearer", "basic", "digest", "negotiate", "://", "pass", "kennwort", "pwd", "pw", "secret", "token"),
    *("apikey", "api_key", "api-key", "accesskey", "access_key", "access-key", "privatekey", "private_key"),
    *("private-key", "credential", "authorization", "cookie", "sessionid", "session_id", "session-id"),
    *("pin", "otp", "sig=", 'sig"', "signature", " -p", "-u", "--user"),
    *("mot de ", "contrase", "senha", "wachtwoord", "senord", "hasł", "haslo", "пароль", "密", "パスワード", "p/w"),
    *("api key", "access key", "private key", "key is", "login", "log in", "cred", "root:", "root/", "admin:"),
    *("admin/", "administrator", "postgres:", "postgres/", "identified", "redis-cli", "sudo", "2fa", "mfa"),
    *("one-time", "one time", "verification", "security "),
)

# The parts that patterns are made of. Texts are hostile: what repeats is possessive (`*+`) or has a bound, so that
# the time they take grows with the length of a text and not with its square.
_PHRASE = r"(?:pass(?:w(?:or)?[dt]|phrase|code)|kennwort|pwd)[\w.-]{0,60}+"
_NAMED = (
    rf"(?:{_PHRASE}|(?:secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|session[_-]?id)"
    r"[\w.-]{0,60}+)"
)
_BEGINS = r"(?:(?<![^\W\d_])|(?<=[a-z])(?-i:(?=[A-Z])))"
"""Short words hide in longer ones: `compass`, `bypass`. They begin after what is no letter, or as in `dbPass`."""
_CALLED = r"[\\\"'`*]{0,4}\s{0,20}(?:=>|:=|[:=]|%3D)\s{0,20}"
_SAID = rf"(?:{_CALLED}|\s{{1,9}}(?:is|was)(?:\s{{0,3}}:)?\s{{1,9}})"
_QUOTED = r"(?P<quote>\\{0,8}[\"'])(?:(?!(?<!\\)(?P=quote)).|(?P=quote){2})*+(?P=quote)?"
"""Up to the quote that closes it, be it escaped itself as JSON in JSON is, and not up to one that is doubled or
escaped; what was cut off goes up to its end."""
_ENDS = r"(?:[,;&.](?=\s|$)|[,;&](?=[\w.-]{1,60}+[\"']?[:=])|[\"'](?=[\s,:}\]]|$))"
"""Where a value without quotes ends. A comma within one is part of it."""
_VALUE = rf"(?:{_QUOTED}|(?:(?!{_ENDS})\S)++)"
_WORDS = rf"(?:(?!{_ENDS})[^\n])++"
_PARAMETER = rf"[\w-]{{1,40}}+=(?:\"[^\"\n]*+\"?|(?:(?!{_ENDS})[^\s,;\"])++)"
_INSTEAD = r"\1\g<quote>[secret]\g<quote>"
_ABROAD = (
    r"(?:mot de passe|contrase[nñ]a|senha|wachtwoord|l[oö]senord|has[lł]o|пароль|密码|密碼|パスワード"
    r"|pass phrase|p/w|(?:api|access|private|secret) key)"
)
"""Passwords by other names: too ordinary, or too long, to be the beginning of a name."""
_LOOKS = (
    r"(?!v?\d+[.\s])(?!v\d)(?!(?:oauth|sha|md|[ehpr]s|base|utf|http|tls|x|argon|aes|ed|http/)-?\d+\b)"
    r"(?![0-9a-f]{8}-[0-9a-f]{4}-)(?=[^\s\d]{0,60}\d)(?=[^\sa-z]{0,60}[a-z])[\w!$%^&*#+=~?-]{5,80}+(?![\w@:/]|\.\w)"
)
"""A word that looks like a secret: letters and digits in one, and neither a version, an algorithm nor an id."""
_BETWEEN = (
    r"[\"'`*]{0,4}(?:\s{0,9}(?:->|→|[-–—|/(\[<:=\"'`*])){0,3}\s{0,9}"
    r"(?:(?:to|from|set|changed|now|will|be|is|was|it|are|equals|became|ist|lautet|hei(?:ß|ss)t|est|es|still)\s{1,9}){0,4}"
)
"""What people write between the name of a secret and the secret."""
_FACTOR = r"(?:pin|otp|(?:one[- ]time|[2m]fa|verification|security)[ -](?:code|pin|password))(?: code)?"


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_is_secrets_name: Final = _pattern(
    rf"{_NAMED}|authorization|cookie|{_BEGINS}(?:pass|pw|pin|otp|sig(?:nature)?)\d?(?![^\W_])"
).search

_SECRETS: Final = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), "[key]"),
    (re.compile(r"\beyJ[\w-]{6,}+\.[\w-]+(?:\.[\w-]*){0,3}"), "[token]"),
    (
        re.compile(
            r"\b(?:gh[opsur]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}"
            r"|sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{8,}|(?:AKIA|ASIA)[0-9A-Z]{12,}|AIza[\w-]{30,}|npm_\w{20,}"
            r"|pypi-[\w-]{16,}|hv[sb]\.[\w-]{16,}|ya29\.[\w-]{8,}|SG\.[\w-]{8,}\.?[\w-]*|dop_v1_\w{16,})"
        ),
        "[token]",
    ),
    # The scheme goes with what follows it, which is a word or a list: nobody knows all schemes.
    (
        _pattern(
            rf"(authorization{_CALLED})(?:{_QUOTED}|(?:[a-z][\w-]{{0,60}}+[ \t]{{1,9}})?"
            rf"(?:{_PARAMETER}(?:,[ \t]{{0,9}}{_PARAMETER})*+|(?:(?!{_ENDS})\S)++))"
        ),
        _INSTEAD,
    ),
    (_pattern(rf"(cookie{_CALLED})(?:{_QUOTED}|[^\n]++)"), _INSTEAD),
    (_pattern(r"\b(bearer|basic|digest|negotiate)\s{1,20}+[\w.~+/=-]{8,}"), r"\1 [token]"),
    # Up to the last @ before white space, for passwords hold what they should not. Where a colon is before a slash,
    # the slash may be one of them too, but that of a host's port is not.
    (
        _pattern(r"(?<=://)(?:[^\s/@:]{0,200}+:(?!\d{1,5}/)(?:[^\s@\"]{0,500}+@)++|(?:[^\s/@\"]{0,500}+@)++)"),
        "[credentials]@",
    ),
    (
        _pattern(
            r"((?<![\w-])(?:-u|--user)[\s=]{0,3})(?!\d+:\d)(?![\"']?+[^\s:\"']{0,200}+(?!:))"
            rf"(?:{_QUOTED}|\S++)"
        ),
        r"\1[credentials]",
    ),
    (
        _pattern(
            r"(\b(?:mysql|mariadb|sshpass|login)(?:[\w-]{0,20}+)(?:(?! -p)[^\n|]){0,200}+ -p ?)(?!-)" + _VALUE
        ),
        _INSTEAD,
    ),
    (
        _pattern(
            r"((?<![\w-])--?(?:[\w-]{0,40}-)?(?:pass|pwd|pw|token|secret|api-?key|access-?key|private-?key|credential)"
            rf"[\w-]{{0,40}}+[ \t]{{1,9}})(?!-){_VALUE}"
        ),
        _INSTEAD,
    ),
    (
        _pattern(
            r"(\b(?:log ?in|creds?|credentials?)(?:\s(?:with|as|are|is))?[\s:=]{1,4}[\w.@-]{1,60}\s{0,3}"
            rf"(?:/|and|:|\s)\s{{0,3}}){_LOOKS}"
        ),
        r"\1[secret]",
    ),
    # What is told as a sentence is told to its end; what is set ends with a space.
    (
        _pattern(rf"({_PHRASE}[\"']?(?:\s{{0,9}}:[ \t]{{1,9}}|\s{{1,9}}(?:is|was)\s{{1,9}}))(?![\\\"']){_WORDS}"),
        r"\1[secret]",
    ),
    (_pattern(rf"({_NAMED}{_SAID}){_VALUE}"), _INSTEAD),
    (_pattern(rf"({_BEGINS}(?:pass\d?{_CALLED}|(?:pw|otp)\d?{_SAID})){_VALUE}"), _INSTEAD),
    # A signature is spoken of; one that is set is a permission. A pin may be a pinned version.
    (_pattern(rf"({_BEGINS}sig(?:nature)?(?:=|[\\\"']{{1,4}}\s{{0,9}}:\s{{0,9}})){_VALUE}"), _INSTEAD),
    (_pattern(rf"({_BEGINS}pin(?:{_SAID})[\\\"']{{0,4}})\d{{3,12}}(?![\w.]\w)"), r"\1[secret]"),
    # How people say it. A word that follows without a verb or a sign has to look like a secret.
    (_pattern(rf"({_ABROAD}(?:{_CALLED}|\s{{1,9}}(?:est|es|é|ist|är|to)\s{{1,9}})){_VALUE}"), _INSTEAD),
    (_pattern(rf"((?:{_NAMED}|{_ABROAD}|{_BEGINS}(?:pass|pw|key is)){_BETWEEN}){_LOOKS}"), r"\1[secret]"),
    (_pattern(rf"({_PHRASE}[\s:]{{1,9}})(?P<quote>[\"'`])[^\"'`\n]{{1,80}}+(?P=quote)"), _INSTEAD),
    (_pattern(rf"({_PHRASE}\s(?:for|of|on|to|in)\s[^\n.;:]{{1,60}}?\s(?:is|was|ist)\s){_LOOKS}"), r"\1[secret]"),
    (
        _pattern(
            rf"(?<![\w.@:/-]){_LOOKS}(?=\s(?:is|was|as|ist)\s(?:(?:the|my|our|its|a|das|the new)\s)?"
            rf"(?:\w{{1,12}}\s)?{_PHRASE})"
        ),
        "[secret]",
    ),
    (_pattern(rf"(\b(?:root|admin|administrator|postgres)[:/]){_LOOKS}"), r"\1[secret]"),
    (_pattern(rf"(<[\w:.-]{{0,40}}?{_NAMED}>)[^<>]{{1,300}}+(?=</)"), r"\1[secret]"),
    (_pattern(rf"(\bidentified\s{{1,9}}by\s{{1,9}}){_VALUE}"), _INSTEAD),
    (_pattern(rf"(\bredis-cli(?:(?! -a)[^\n|]){{0,200}}+ -a ?){_VALUE}"), _INSTEAD),
    (_pattern(rf"(\becho\s{{1,9}})(?:{_QUOTED}|[^\s|]++)(?=\s{{0,9}}\|\s{{0,9}}sudo\b)"), _INSTEAD),
    (_pattern(rf"(\bsudo\s-S[^\n<]{{0,40}}+<<<\s{{0,9}}){_VALUE}"), _INSTEAD),
    (_pattern(rf"({_BEGINS}{_FACTOR}[\s:=]{{1,4}}(?:(?:is|was)\s)?)\d{{4,10}}(?![\w.]\w)"), r"\1[secret]"),
)

_ADDRESSES: Final = (
    (
        re.compile(r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]++@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}"),
        "[e-mail]",
    ),
    # Loopback is nobody's, and is what a broker's trouble on a laptop is told by.
    # What ends in .0 names a network and no host, and is how many plugins count their releases: 3.0.0.0.
    (re.compile(r"(?<![\w.])(?!127\.)(?:\d{1,3}\.){3}(?!0\b)\d{1,3}(?![\w.]*\w)"), "[address]"),
    (re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE), "[address]"),
    (re.compile(r"(?<![\w+])\+\d[\d ()/-]{6,}\d"), "[phone]"),
)

# Long runs of letters and digits are most likely a key. Ids have hyphens, digests begin with their algorithm and
# pseudonyms with their key's id, and the two slashes of an address are followed by a host.
_NEW_RUN = r"(?<![\w+/=])(?<!sha256:)(?<!sha512:)(?!(?<=\bk\d:)[0-9a-f]{32}\b)(?!//)"
_OPAQUE: Final = (
    (
        re.compile(rf"{_NEW_RUN}(?=[A-Za-z+/=]*\d)(?=[\d+/=]*[A-Za-z])[A-Za-z0-9+/=]{{24,}}", re.IGNORECASE),
        "[opaque]",
    ),
)
_OPAQUE_WORD: Final = (
    # In a plain field a long run may be a digest or an id, which has letters of one case only.
    (
        re.compile(rf"{_NEW_RUN}(?=[a-z0-9+/=]*[A-Z])(?=[A-Z0-9+/=]*[a-z])(?=[A-Za-z+/=]*\d)[A-Za-z0-9+/=]{{32,}}"),
        "[opaque]",
    ),
)
_SHORTEST_OPAQUE_WORD = 32
