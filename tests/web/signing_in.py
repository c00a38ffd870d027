"""Persons who sign in, for tests of what they may do: the session is begun as the identity provider's answer would begin it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.responses import Response
from starlette.testclient import TestClient

from lienthong.access import Role, SignedIn
from lienthong.store import Database, people
from lienthong.web.sessions import Sessions

ISSUER = "https://dang-nhap.example"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def register_person(database: Database, handle: str, agency: str, roles: Iterable[Role]) -> SignedIn:
    """Somebody registered with roles."""
    who = SignedIn(ISSUER, f"{handle}@{ISSUER}", f"Cán bộ mẫu {handle}")
    with database.connect() as connection:
        number = people.register(connection, handle, who, agency, AT)
        for role in roles:
            people.grant(connection, number, role, "thu-nhat", "thu-hai", AT)
    return who


def sign_in(client: TestClient, who: SignedIn, *, second_factor: str = "") -> str:
    """Sign somebody in at this client; gives the token their forms carry (header `Lienthong-CSRF`)."""
    sessions: Sessions = client.app._rest.state.acting.sessions  # type: ignore[attr-defined] # the application's own
    response = Response()
    sessions.begin(response, who, second_factor=second_factor)
    token = response.headers["set-cookie"].split(";")[0].partition("=")[2]
    client.cookies.clear()
    client.cookies.set(sessions.cookie, token)
    from lienthong.access import csrf_of

    return csrf_of(token)
