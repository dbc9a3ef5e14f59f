"""Whose certificates a client believes."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from processors.configuration.certificates import believed
from processors.errors import SettingsInvalid

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in PROXIES:
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("url", ["https://registry", "HTTPS://registry", "HTTP://registry"])
def test_the_systems_authorities_are_believed_where_no_file_names_others(url: str) -> None:
    assert believed(None, "GUARD_REGISTRY__CA", url) is True


def test_over_plain_http_nobodys_certificate_is_believed() -> None:
    """None is met there; if one were, the client would fail rather than believe it."""
    trusted = believed(None, "GUARD_REGISTRY__CA", "http://registry")

    assert isinstance(trusted, ssl.SSLContext)
    assert (trusted.verify_mode, trusted.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trusted.get_ca_certs() == []


@pytest.mark.parametrize("variable", PROXIES)
def test_a_proxy_may_show_the_certificate_that_its_address_does_not(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way to a proxy can be https where the registry is plain http."""
    monkeypatch.setenv(variable, "https://proxy")

    assert believed(None, "GUARD_REGISTRY__CA", "http://registry") is True


def test_the_authorities_of_a_file_are_believed_instead_of_the_systems(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    trusted = believed(tmp_path / "ca.pem", "GUARD_REGISTRY__CA", "https://registry")

    assert isinstance(trusted, ssl.SSLContext)
    assert len(trusted.get_ca_certs()) == 1


@pytest.mark.parametrize("url", ["https://registry", "http://registry"])
def test_a_file_without_certificates_is_named_whatever_the_address(tmp_path: Path, url: str) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")

    with pytest.raises(SettingsInvalid, match=r"GUARD_REGISTRY__CA: `.*ca\.pem` holds no certificates"):
        believed(tmp_path / "ca.pem", "GUARD_REGISTRY__CA", url)
