"""The same of brokered services: drafts, which nobody but their provider sees, and operations a caller has no right to.

Asked for are a service that is only a draft against ones there are not, a draft version against versions there are not, and, with a right to
other operations and with none, an operation there is against ones there are not; over HTTP and as X-Road services.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench import broker, serving
from bench.alike import WARM, asks_of, compare, headers_of
from bench.report import Row
from lienthong.access import Actor, Role, new_key_pair
from lienthong.contracts.services import ServiceFiles, ServiceState
from lienthong.pipeline.service_acts import move_service, register_service
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.services import make_workshop

SOME, STRANGER = "VN/GOV/H10.12/mot-vai", "VN/GOV/H10.12/xa-la"
DRAFT = "bench.draft"
WANTED = {403, 404, 405, 500}
V1, R1 = "/v1/services", f"/r1/VN/GOV/{broker.AGENCY}/du-lieu"
Address = Callable[[str], str]
OPEN: dict[str, tuple[Address, str]] = {  # what is asked, by a name; the name that is there
    "a draft": (lambda name: f"{V1}/{name}/things/1", DRAFT),
    "a draft's version": (lambda name: f"{V1}/{broker.SERVICE}/{name}/things/1", "2.0"),
    "a draft, X-Road": (lambda name: f"{R1}/{name}/things/1", DRAFT),
}
CLOSED: dict[str, Address] = {
    "an operation": lambda name: f"{V1}/{broker.SERVICE}/1.0/{name}",
    "an operation, X-Road": lambda name: f"{R1}/{broker.SERVICE}/{name}",
}


def measure(server: EmbeddedServer, folder: Path, asked: int) -> list[Row]:
    """A row for each question and caller."""
    url, home = server.create_database("existence_services"), folder / "existence-services"
    Database(url).apply_schema()
    keys = _agree(home)
    count, found = asked + WARM, []
    provider = {"LIENTHONG_PROVIDER_BENCH": "http://127.0.0.1:9", "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8"}  # nobody gets so far
    with broker._set(provider):
        _offer(url, home)
        with serving._serving(url, home, "lienthong.web.serve:application") as base:
            for caller, said in ((SOME, "other operations only"), (STRANGER, "no right")):
                headers = headers_of(base, caller, keys[caller])
                for what, (address, there) in OPEN.items():
                    few = count if "X-Road" not in what else count // 2
                    none = [there[:-4] + f"{n:04d}" if there == DRAFT else f"2.{n + 1}" for n in range(few)]
                    asks = asks_of(address, [there] * few, none, is_repeated=True)
                    found.append(compare(f"services, {said}, {what}", base, headers, asks, WANTED))
                for what, address in CLOSED.items():
                    none = [
                        f"n{n:04d}" for n in range(count)
                    ]  # as long as the one there is, which every refusal lists among what may be asked for
                    asks = asks_of(address, ["large"] * count, none, is_repeated=False)
                    found.append(compare(f"services, {said}, {what}", base, headers, asks, WANTED))
    return found


def _offer(url: str, home: Path) -> None:
    """One service in use, a draft of its next version, and a draft of another."""
    workshop = make_workshop(Settings(database_url=url, home=home), Database(url), {})
    actor = Actor("may-do", broker.AGENCY, frozenset({Role.INTEGRATOR}))
    for name, version in ((broker.SERVICE, "1.0"), (broker.SERVICE, "2.0"), (DRAFT, "1.0")):
        document = broker.OPENAPI | {"info": {"title": "Đo", "version": version}}
        register_service(workshop, actor, ServiceFiles(broker.DEFINITION | {"id": name, "version": version}, json.dumps(document), {}))
    move_service(workshop, actor, broker.SERVICE, "1.0", ServiceState.PUBLISHED)


def _agree(home: Path) -> dict[str, Any]:
    """Two subsystems, and the agreement of one on some operations; gives their keys."""
    keys: dict[str, Any] = {}
    documents: dict[str, Any] = {}
    for n, caller in enumerate((SOME, STRANGER)):
        keys[caller], public = new_key_pair()
        documents[f"subsystems/{n}.yaml"] = {"identifier": caller, "title_vi": "Đo", "title_en": "Measuring", "keys": [{"jwk": public}]}
    documents["agreements/some.yaml"] = {
        "id": "BENCH-MOT-VAI", "provider": broker.AGENCY, "consumer": SOME, "service": broker.SERVICE, "state": "active", "endpoints": ["GET /things/*"],
        "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}}, "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
    }  # fmt: skip
    for name, document in documents.items():
        path = home / "agreements" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return keys
