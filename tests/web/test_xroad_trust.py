"""When a request counts as the security server's."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from lienthong.errors import SettingsError
from lienthong.settings import Settings
from lienthong.web.xroad_trust import Trust

CERTIFICATE = b"not really a certificate, but these bytes"
PRINT = hashlib.sha256(CERTIFICATE).hexdigest()
SHOWN = {b"client-cert": b":" + b64encode(CERTIFICATE) + b":"}
SECRET = "mot-bi-mat-dai-cho-may-chu-bao-mat"


def trust(**settings: str) -> Trust:
    return Trust.of(Settings(**{f"xroad_{name}": value for name, value in settings.items()}))  # type: ignore[arg-type] # texts all


def test_nobody_is_trusted_unless_it_is_set() -> None:
    assert not trust().holds("127.0.0.1", {})


def test_an_address_is_trusted_where_nothing_was_handed_on() -> None:
    near = trust(networks="10.1.2.3/32, 127.0.0.0/8")
    assert near.holds("127.0.0.1", {})
    assert near.holds("::ffff:10.1.2.3", {})
    assert not near.holds("10.1.2.4", {})
    assert not near.holds("", {})
    for name in (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"):
        assert not near.holds("127.0.0.1", {name: b"10.1.2.3"})


def test_a_secret_is_needed_beside_the_address() -> None:
    both = trust(networks="127.0.0.1/32", secret=SECRET)
    assert both.holds("127.0.0.1", {b"lienthong-security-server": SECRET.encode(), b"via": b"proxy"})
    assert not both.holds("127.0.0.1", {})
    assert not both.holds("127.0.0.2", {b"lienthong-security-server": SECRET.encode()})


def test_a_certificate_is_needed_beside_the_address() -> None:
    both = trust(networks="127.0.0.1/32", certificates=PRINT.upper())
    assert both.holds("127.0.0.1", SHOWN)
    assert not both.holds("127.0.0.1", {})
    assert not both.holds("127.0.0.2", SHOWN)
    for wrong in (b"", b":", b"::", b":!!!:", b64encode(CERTIFICATE), b":" + b64encode(b"another") + b":"):
        assert not both.holds("127.0.0.1", {b"client-cert": wrong})


def test_every_condition_that_is_set_must_hold() -> None:
    every = trust(networks="127.0.0.1/32", certificates=PRINT, secret=SECRET)
    assert every.holds("127.0.0.1", {**SHOWN, b"lienthong-security-server": SECRET.encode()})
    assert not every.holds("127.0.0.1", SHOWN)
    assert not every.holds("127.0.0.1", {b"lienthong-security-server": SECRET.encode()})


@pytest.mark.parametrize(
    "settings",
    [{"secret": SECRET}, {"certificates": PRINT}, {"networks": "here"}, {"networks": "127.0.0.1/32", "certificates": "abc"}, {"networks": "127.0.0.1/32", "secret": "kurz"}],
)  # fmt: skip
def test_conditions_that_would_trust_anybody_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        trust(**settings)
