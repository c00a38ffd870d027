"""Who asks whom through an X-Road security server, and what its errors mean: what the REST and the SOAP connector share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import msgspec

from lienthong.access.xroad import Member, ServiceName, client_of, fault_begins, new_id, party_of, server_of
from lienthong.connectors.http_session import Manner
from lienthong.connectors.options import Options
from lienthong.errors import BadRequest, SourceError

LONGEST_ERROR = 64 * 1024
PASSING = ("network_error", "timestamping_failed", "global_conf_outdated", "logging_failed", "maintenance_mode", "internal_error", "io_error", "service_failed", "http_error")  # fmt: skip
HINTS: tuple[tuple[str, str], ...] = (
    ("access_denied", "The provider has not given this client the right to this service."),
    ("unknown_service", "Look at listMethods of the provider."),
    ("unknown_member", "Look at listClients."),
    ("service_disabled", "The provider has stopped this service; ask until when."),
    ("ssl_authentication_failed", "The security server does not accept this connection: look at its internal TLS certificates."),
    ("invalid_client_identifier", "The client is not registered at this security server."),
)


@dataclass(frozen=True)
class Asking:
    """The identifiers of a request. `represented` and `server` may be empty."""

    client: Member
    service: ServiceName
    user_id: str = ""
    issue: str = ""
    server: str = ""
    represented: str = ""

    @classmethod
    def take(cls, options: Options, section: Options | None) -> Asking:
        """From the section `xroad`. Raises SourceError naming what is missing or no identifier."""
        if section is None:
            raise options.required("xroad")
        client, service = section.text("client"), section.text("service")
        for name, value in (("client", client), ("service", service)):
            if not value:
                raise options.required(f"xroad.{name}")
        texts = {name: section.text(name) for name in ("user_id", "issue")}
        server, represented = section.text("security_server"), section.text("represented_party")
        section.close()
        try:
            provider, _, code = service.rpartition("/")
            asking = cls(client_of(client), ServiceName(client_of(provider), code), server=server, represented=represented, **texts)
            for value, read in ((server, server_of), (represented, party_of)):
                if value:
                    read(value)
        except BadRequest as error:
            raise SourceError(f"Option `xroad`: {error.message}", hint="For example service: VN/GOV/H10.10/du-lieu/licences.") from error
        if not asking.client.subsystem or not asking.service.provider.subsystem or not code:
            raise SourceError("Option `xroad`: client has four parts, service five.", hint="instance/class/member/subsystem[/service]")
        return asking


class RestManner(Manner):
    """X-Road's REST headers, a message id of its own for each try, and its faults told from the service's own errors."""

    def __init__(self, asking: Asking) -> None:
        named = {
            "X-Road-Client": str(asking.client),
            "X-Road-UserId": quote(asking.user_id, safe=" /@.+-"),
            "X-Road-Issue": quote(asking.issue, safe=" /@.+-"),
            "X-Road-Security-Server": asking.server,
            "X-Road-Represented-Party": asking.represented,
        }
        self._named = {name: value for name, value in named.items() if value}

    def headers(self) -> Mapping[str, str]:
        return {**self._named, "X-Road-Id": new_id()}

    def check(self, response: httpx.Response, sent: Mapping[str, str], what: str) -> None:
        kind = response.headers.get("X-Road-Error")
        if kind is not None:
            judge(kind, _message(response), what)
        answered = response.headers.get("X-Road-Id")
        if response.is_success and answered is not None and answered != sent["X-Road-Id"]:
            raise SourceError(f"{what}: trả lời của thông điệp khác / the answer is to another message than was sent.")


def judge(kind: str, message: str, what: str) -> None:
    """Raises SourceError for a fault that stays; one that may pass is tried again. `kind` in either spelling."""
    plain = kind.replace("_", "").lower()
    if fault_begins(kind, "server") and any(plain.endswith(tail.replace("_", "")) for tail in PASSING):
        return
    hint = next((words for tail, words in HINTS if plain.endswith(tail.replace("_", ""))), "")
    raise SourceError(f"{what}: X-Road {kind}: {message[:300]}", hint=hint)


def _message(response: httpx.Response) -> str:
    """The message of an error, as far as it can be read."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LONGEST_ERROR:
            return ""
    try:
        return str(msgspec.json.decode(body, type=dict[str, str]).get("message", ""))
    except msgspec.MsgspecError:
        return ""
