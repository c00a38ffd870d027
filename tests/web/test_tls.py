"""TLS that ends at the server itself: client certificates are those of the connection, whatever a request says (RFC 8705)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lienthong.access import ASSERTION_TYPE, make_assertion
from lienthong.errors import SettingsError
from lienthong.settings import Settings
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.secure_wire import tls_options
from tests.conftest import fresh_database, open_folder
from tests.web.served import CALLER, RECORDS, Served, serving

RECORD = f"{RECORDS}/1%2FGP-UBND"


class Authority:
    """A certificate authority of the tests; `make` writes a certificate and its key as one PEM."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.path = folder / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self.path.write_bytes(self._signed(self._name, self._key, constraints).public_bytes(Encoding.PEM))

    def make(self, name: str) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = self._signed(subject, key, x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]))
        path = self.folder / f"{name}.pem"
        path.write_bytes(made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, more: x509.ExtensionType) -> x509.Certificate:
        now = datetime.now(UTC)
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        built = built.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        return built.not_valid_after(now + timedelta(days=1)).add_extension(more, critical=False).sign(self._key, hashes.SHA256())


@dataclass(frozen=True)
class Secured:
    served: Served
    authority: Authority
    mine: Path
    anothers: Path
    strangers: Path

    def client(self, certificate: Path | None) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.authority.path))
        if certificate is not None:
            context.load_cert_chain(certificate)
        return httpx.Client(base_url=self.served.base, verify=context)

    def token(self, client: httpx.Client) -> str:
        assertion = make_assertion(self.served.private, CALLER, self.served.base + "/oauth/token", datetime.now(UTC))
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        token: str = client.post("/oauth/token", data=form).raise_for_status().json()["access_token"]
        return token


@pytest.fixture(scope="module")
def secured(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    pem = tmp_path_factory.mktemp("pem")
    authority, stranger = Authority(pem, "nha-nuoc"), Authority(pem, "nguoi-la")
    environment = {
        "LIENTHONG_TLS_CERTIFICATE": str(authority.make("server")),
        "LIENTHONG_TLS_CLIENT_AUTHORITIES": str(authority.path),
    }
    verify = ssl.create_default_context(cafile=str(authority.path))
    with (
        fresh_database(postgres_server) as url,
        open_folder() as folder,
        serving(url, folder, environment=environment, verify=verify) as served,
    ):
        yield Secured(served, authority, authority.make("mine"), authority.make("anothers"), stranger.make("strangers"))


def asked(client: httpx.Client, token: str, **more: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo-01"}
    return client.get(RECORD, headers={**headers, **more})


def test_a_token_got_over_a_certificate_opens_only_connections_made_with_it(secured: Secured) -> None:
    with secured.client(secured.mine) as mine, secured.client(secured.anothers) as anothers, secured.client(None) as nobody:
        token = secured.token(mine)
        assert asked(mine, token).json()["values"]["holder"] == "Công ty số 1"
        assert asked(anothers, token).status_code == 401
        assert asked(nobody, token).status_code == 401
        assert asked(mine, token).status_code == 200  # again over the same connection
    with secured.client(secured.mine) as again:  # and over another with the same certificate
        assert asked(again, token).status_code == 200


def test_what_a_request_says_of_a_certificate_counts_for_nothing(secured: Secured) -> None:
    with secured.client(secured.mine) as mine, secured.client(None) as nobody:
        token, pem = secured.token(mine), quote(secured.mine.read_text())
        for name in ("X-Client-Cert", "Client-Cert", "X-SSL-Client-Cert", "lienthong.certificate"):
            assert asked(nobody, token, **{name: pem}).status_code == 401


def test_without_a_certificate_a_token_is_a_plain_one(secured: Secured) -> None:
    with secured.client(None) as nobody, secured.client(secured.mine) as mine:
        token = secured.token(nobody)
        assert asked(nobody, token).status_code == 200
        assert asked(mine, token).status_code == 200


def test_a_certificate_of_another_authority_gets_no_connection(secured: Secured) -> None:
    with secured.client(secured.strangers) as stranger, pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
        stranger.get("/health")


def test_plain_http_is_not_answered_where_tls_is_spoken(secured: Secured) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(secured.served.base.replace("https:", "http:") + "/health")


def test_the_server_says_that_it_binds_tokens_to_certificates(secured: Secured) -> None:
    with secured.client(None) as nobody:
        told = nobody.get("/.well-known/oauth-authorization-server").json()
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert told["token_endpoint"].startswith("https://")


def test_files_that_cannot_be_used_are_told_at_the_start(secured: Secured, tmp_path: Path) -> None:
    certificate, other = str(secured.mine), str(secured.authority.path)
    nonsense = tmp_path / "no.pem"
    nonsense.write_text("no certificate")
    for settings in (
        Settings(tls_client_authorities=other),
        Settings(tls_certificate=str(tmp_path / "gone.pem")),
        Settings(tls_certificate=str(nonsense)),
        Settings(tls_certificate=certificate, tls_key=str(secured.anothers)),  # the key of another certificate
        Settings(tls_certificate=certificate, tls_client_authorities=other, client_certificate_header="X-Client-Cert"),
    ):
        with pytest.raises(SettingsError, match="LIENTHONG_"):
            tls_options(settings)
    assert tls_options(Settings(tls_certificate=certificate))["ssl_cert_reqs"] == ssl.CERT_NONE
    assert tls_options(Settings()) == {}
