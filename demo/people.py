"""Invented people of the sample province: accounts at the built-in provider, registered under handles, in roles given by two operators.

Nobody here is real. The password is the same for all and printed on the card: these accounts protect sample data on this machine.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

PASSWORD = "lien-thong-mau"  # noqa: S105 # of sample accounts
ACCOUNTS, SECRET = "people.json", "oidc-client.secret"
AGENCIES = "agencies.register"


@dataclass(frozen=True)
class SamplePerson:
    handle: str
    name: str
    agency: str
    role: str
    title: str
    title_en: str


PEOPLE = (
    SamplePerson("van-hanh-1", "Người vận hành mẫu 1", "H10.11", "operator", "người vận hành", "operator"),
    SamplePerson("van-hanh-2", "Người vận hành mẫu 2", "H10.11", "operator", "người vận hành thứ hai", "second operator"),
    SamplePerson("dau-moi", "Đầu mối dữ liệu mẫu", "H10.12", "data_officer", "đầu mối dữ liệu", "data officer"),
    SamplePerson("dau-moi-2", "Đầu mối dữ liệu mẫu 2", "H10.12", "data_officer", "đầu mối dữ liệu thứ hai", "second data officer"),
    SamplePerson("quan-ly-1", "Người quản lý dữ liệu gốc mẫu 1", "H10.11", "steward", "người quản lý dữ liệu gốc", "steward"),
    SamplePerson(
        "quan-ly-2", "Người quản lý dữ liệu gốc mẫu 2", "H10.11", "steward", "người quản lý dữ liệu gốc thứ hai", "second steward"
    ),
    SamplePerson("lanh-dao", "Lãnh đạo mẫu", "H10.01", "leader", "lãnh đạo", "leader"),
    SamplePerson("kiem-tra", "Kiểm tra viên mẫu", "H10.17", "auditor", "kiểm tra viên", "auditor"),
)
CITIZEN = SamplePerson("cong-dan", "Công dân mẫu", "", "citizen", "công dân", "citizen")


def settings_of(home: Path, base_url: str) -> dict[str, str]:
    """The settings under which these people sign in; the accounts are made with the first fill."""
    return {
        "LIENTHONG_OIDC_ISSUER": f"{base_url}/oidc",
        "LIENTHONG_OIDC_ACCOUNTS": str(home / ACCOUNTS),
        "LIENTHONG_OIDC_CLIENT_SECRET_FILE": str(home / "keys" / SECRET),
    }


def write_accounts(home: Path, base_url: str, citizen_number: str) -> None:
    """The built-in provider's file, and the secret this platform has there. What is there is kept, but for the address."""
    from lienthong.web.accounts import hash_password

    secret = home / "keys" / SECRET
    secret.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not secret.exists():
        _write(secret, token_urlsafe(32))
    path = home / ACCOUNTS
    known: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    accounts = known.get("accounts")
    if accounts is None or {each["username"] for each in accounts} != {each.handle for each in (*PEOPLE, CITIZEN)}:
        hashed = hash_password(PASSWORD)
        accounts = [{"username": each.handle, "password_hash": hashed, "name": each.name, "agency": each.agency} for each in PEOPLE]
        accounts.append({"username": CITIZEN.handle, "password_hash": hashed, "name": CITIZEN.name, "citizen_number": citizen_number})
    digest = hashlib.sha256(secret.read_text("utf-8").encode()).hexdigest()
    client = {"id": "lienthong", "secret_sha256": digest, "redirect_uris": [f"{base_url}/sign-in/callback"]}
    fresh = path.with_suffix(".part")
    _write(fresh, json.dumps({"accounts": accounts, "clients": [client]}, ensure_ascii=False, indent=1))
    fresh.replace(path)


def seed(place: Any, base_url: str) -> list[dict[str, str]]:
    """Register the sample people and agencies, give them their roles, and say who they are. Twice is harmless."""
    from lienthong.access import Actor, Role, SignedIn
    from lienthong.errors import Conflict
    from lienthong.pipeline import approving, granting
    from lienthong.pipeline.agencies import take_from_register
    from lienthong.store import people

    terminal = granting.terminal("demo")
    take_from_register(place, terminal, AGENCIES, _before_the_mergers())
    issuer = f"{base_url}/oidc"
    with place.database.connect() as connection:
        known = {person.handle: person for person in people.everybody(connection)}
    for each in PEOPLE:
        if each.handle not in known:
            granting.register_person(place, terminal, each.handle, SignedIn(issuer, each.handle, each.name), each.agency)
        if each.handle in known and Role(each.role) in known[each.handle].roles:
            continue
        if each.role == "operator":
            granting.grant_first_operator(place, each.handle, "demo")
            continue
        first, second = (Actor(handle, "H10.11", frozenset({Role.OPERATOR})) for handle in ("van-hanh-1", "van-hanh-2"))
        try:
            document = granting.role_document(place, each.handle, Role(each.role))
        except Conflict:  # another start gave it meanwhile
            continue
        proposal = approving.propose(place, granting.GRANT_ROLE, first, document, "bản mẫu · the demo", each.agency)
        approving.approve(place, granting.GRANT_ROLE, second, proposal.number, proposal.digest)
    return [
        {
            "sign_in": f"{base_url}/sign-in", "username": each.handle, "password": PASSWORD, "name": each.name, "agency": each.agency,
            "role": each.role, "title": each.title, "title_en": each.title_en,
        }
        for each in (*PEOPLE, CITIZEN)
    ]  # fmt: skip


def citizen_number(database: Any) -> str:
    """The number of somebody in the sample population."""
    with database.connect() as connection:
        row = connection.execute(
            "select citizen_id from data.population_persons where citizen_id ~ '^[0-9]{12}$' order by _key limit 1"
        ).fetchone()
    return str(row[0]) if row else "700000000001"


def _before_the_mergers() -> Any:
    from datetime import date

    return date(2025, 2, 1)  # the departments merged on 1 March 2025; the sample province is that of before


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
