"""Patterns of secrets and addresses in texts, and their replacements. Data only."""

from __future__ import annotations

import re
from typing import Final

SHORTEST_SECRET = 5
HINTS = (
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

# Parts of patterns. Texts are hostile: repetitions are possessive (`*+`) or bounded, so that the time grows
# linearly with the length of a text and not quadratically.
_PHRASE = r"(?:pass(?:w(?:or)?[dt]|phrase|code)|kennwort|pwd)[\w.-]{0,60}+"
_NAMED = (
    rf"(?:{_PHRASE}|(?:secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|session[_-]?id)"
    r"[\w.-]{0,60}+)"
)
_BEGINS = r"(?:(?<![^\W\d_])|(?<=[a-z])(?-i:(?=[A-Z])))"
"""Short words occur in longer ones: `compass`, `bypass`. They must begin after a non-letter, or as in `dbPass`."""
_CALLED = r"[\\\"'`*]{0,4}\s{0,20}(?:=>|:=|[:=]|%3D)\s{0,20}"
_SAID = rf"(?:{_CALLED}|\s{{1,9}}(?:is|was)(?:\s{{0,3}}:)?\s{{1,9}})"
_QUOTED = r"(?P<quote>\\{0,8}[\"'])(?:(?!(?<!\\)(?P=quote)).|(?P=quote){2})*+(?P=quote)?"
"""Up to the quote that closes it, be it escaped itself as JSON in JSON is, and not up to one that is doubled or
escaped; what was cut off goes up to its end."""
_ENDS = r"(?:[,;&.](?=\s|$)|[,;&](?=[\w.-]{1,60}+[\"']?[:=])|[\"'](?=[\s,:}\]]|$))"
"""The end of a value without quotes. A comma within one is part of it."""
_VALUE = rf"(?:{_QUOTED}|(?:(?!{_ENDS})\S)++)"
_WORDS = rf"(?:(?!{_ENDS})[^\n])++"
_PARAMETER = rf"[\w-]{{1,40}}+=(?:\"[^\"\n]*+\"?|(?:(?!{_ENDS})[^\s,;\"])++)"
_INSTEAD = r"\1\g<quote>[secret]\g<quote>"
_ABROAD = (
    r"(?:mot de passe|contrase[nñ]a|senha|wachtwoord|l[oö]senord|has[lł]o|пароль|密码|密碼|パスワード"
    r"|pass phrase|p/w|(?:api|access|private|secret) key)"
)
"""Other names for passwords: too ordinary, or too long, to be the beginning of a name."""
_LOOKS = (
    r"(?!v?\d+[.\s])(?!v\d)(?!(?:oauth|sha|md|[ehpr]s|base|utf|http|tls|x|argon|aes|ed|http/)-?\d+\b)"
    r"(?![0-9a-f]{8}-[0-9a-f]{4}-)(?=[^\s\d]{0,60}\d)(?=[^\sa-z]{0,60}[a-z])[\w!$%^&*#+=~?-]{5,80}+(?![\w@:/]|\.\w)"
)
"""A word that looks like a secret: letters and digits mixed, and not a version, an algorithm or an id."""
_BETWEEN = (
    r"[\"'`*]{0,4}(?:\s{0,9}(?:->|→|[-–—|/(\[<:=\"'`*])){0,3}\s{0,9}"
    r"(?:(?:to|from|set|changed|now|will|be|is|was|it|are|equals|became|ist|lautet|hei(?:ß|ss)t|est|es|still)\s{1,9}){0,4}"
)
"""What people write between the name of a secret and the secret."""
_FACTOR = r"(?:pin|otp|(?:one[- ]time|[2m]fa|verification|security)[ -](?:code|pin|password))(?: code)?"


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


is_secrets_name: Final = _pattern(
    rf"{_NAMED}|authorization|cookie|{_BEGINS}(?:pass|pw|pin|otp|sig(?:nature)?)\d?(?![^\W_])"
).search

SECRETS: Final = (
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
    # The scheme belongs to the following word or list: the set of schemes is open.
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

ADDRESSES: Final = (
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
_PSEUDONYM = r"(?:(?<=\bk\d:)|(?<=\bk[0-9a-f]{8}:))[0-9a-f]{32}\b"
_NEW_RUN = rf"(?<![\w+/=])(?<!sha256:)(?<!sha512:)(?!{_PSEUDONYM})(?!//)"
OPAQUE: Final = (
    (
        re.compile(rf"{_NEW_RUN}(?=[A-Za-z+/=]*\d)(?=[\d+/=]*[A-Za-z])[A-Za-z0-9+/=]{{24,}}", re.IGNORECASE),
        "[opaque]",
    ),
)
OPAQUE_WORD: Final = (
    # In a plain field a long run may be a digest or an id, which has letters of one case only.
    (
        re.compile(rf"{_NEW_RUN}(?=[a-z0-9+/=]*[A-Z])(?=[A-Z0-9+/=]*[a-z])(?=[A-Za-z+/=]*\d)[A-Za-z0-9+/=]{{32,}}"),
        "[opaque]",
    ),
)
SHORTEST_OPAQUE_WORD = 32
