"""A province of two datasets with a counter to ask at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from lienthong.access import Agreement, Operation, Register, RowCondition, State
from lienthong.clock import Clock
from lienthong.contracts import Contract, Sensitivity, Sharing
from lienthong.pipeline import Workshop, run_dataset
from lienthong.settings import Settings
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.app import App, create_app
from lienthong.web.services import make_services
from lienthong.web.tokens import TokenDesk
from tests.factories import START, TickingClock, make_contract, make_property, make_workshop, write_people
from tests.store.ledgers import written
from tests.templates import Template, left_alone

OWNER = "VN/GOV/H10.02/nguon"
READER = "VN/GOV/H10.12/tro-cap"
PART = "VN/GOV/H10.10/mot-phan"
EVERYTHING = "VN/GOV/H10.02/tat-ca"
SENDER = "VN/GOV/H10.04/gui"
URL = "http://testserver"
KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
ASKING = {"Lienthong-Purpose": "xet-tro-cap", "Lienthong-Official": "can-bo-01"}

PEOPLE = (
    make_property("record_no", required=True, key_position=1, sensitivity=Sensitivity.PERSONAL),
    make_property("full_name", required=True, sensitivity=Sensitivity.PERSONAL, mask="initials"),
    make_property("born_on", "date", sensitivity=Sensitivity.PERSONAL, mask="year"),
    make_property("children", "integer"),
    make_property("phone"),
)
CODES = (
    make_property("code", required=True, key_position=1, sensitivity=Sensitivity.PUBLIC),
    make_property("label", required=True, sensitivity=Sensitivity.PUBLIC),
)
ROWS = [
    ("P1", "Nguyễn Thị An", "07/03/1980", 2),
    ("P2", "Trần Văn Bình", "12/11/1975", 3),
    ("P3", "Lê Thị Chi", "01/02/1990", 0),
    ("P4", "=Nguyễn Văn Dũng", "05/05/1955", 5),
    ("P5", "Phạm Thị Em", "", ""),
]


def make_agreement(consumer: str, **more: Any) -> Agreement:
    values: dict[str, Any] = {
        "id": f"TT-{consumer.rsplit('/', 1)[-1]}",
        "provider": "H10.02",
        "consumer": consumer,
        "dataset": "test.people",
        "state": State.ACTIVE,
        "fields": None,
        "masked": (),
        "row_filter": (),
        "purposes": {"xet-tro-cap": ("Xét trợ cấp", "Benefits")},
        "operations": frozenset(Operation),
        "legal_basis": "NĐ 278/2025",
        "begins_on": date(2026, 1, 1),
        "ends_on": date(2026, 12, 31),
    }
    return Agreement(**(values | more))


AGREEMENTS = (
    make_agreement(READER, operations=frozenset({Operation.LIST, Operation.CHANGES, Operation.BULK, Operation.LOOK_UP})),
    make_agreement(
        PART,
        fields=("record_no", "full_name", "born_on"),
        masked=("full_name", "born_on"),
        row_filter=(RowCondition("children", "gte", 2), RowCondition("born_on", "gte", "1970-01-01")),
    ),
    make_agreement(EVERYTHING),
    make_agreement(SENDER, operations=frozenset({Operation.SUBMIT})),
)


@dataclass(frozen=True)
class Province:
    """Two published datasets: people under agreements, codes open to all."""

    workshop: Workshop
    people: Contract
    codes: Contract
    folder: Path

    @property
    def register(self) -> Register:
        return Register({}, AGREEMENTS)

    def publish_people(self, rows: list[tuple[object, ...]]) -> None:
        write_people(self.folder / "people.csv", rows)
        run_dataset(self.workshop, self.people)


def make_province(database_url: str, folder: Path) -> Province:
    people, codes = _written(folder)
    workshop = make_workshop(database_url, people, codes)
    for contract in (people, codes):
        run_dataset(workshop, contract)
    return Province(workshop, people, codes, folder)


def make_template(server: EmbeddedServer, schema: str, folder: Path) -> Template:
    """The province filled once, to be copied."""
    name = "counters_template"
    made = make_province(server.create_database(name, template=schema), folder)
    left_alone(server, name)
    return Template(server, name, made.workshop)


@contextmanager
def copied_province(template: Template, folder: Path) -> Iterator[Province]:
    """A copy of it, with its files in a folder of its own."""
    people, codes = _written(folder)
    with template.copy() as workshop:
        yield Province(replace(workshop, contracts={each.id: each for each in (people, codes)}), people, codes, folder)


def _written(folder: Path) -> tuple[Contract, Contract]:
    """The contracts of both datasets, and the files they read."""
    write_people(folder / "people.csv", ROWS)
    (folder / "codes.csv").write_text("code,label\n01,Một\n02,Hai\n", encoding="utf-8")
    people = make_contract(str(folder / "people.csv"), properties=PEOPLE)
    return people, make_contract(str(folder / "codes.csv"), id="test.codes", properties=CODES, sharing=Sharing.OPEN)


def entries(province: Province) -> list[dict[str, Any]]:
    """The ledger, in order."""
    return written(province.workshop.database)


def make_app(province: Province) -> App:
    """The application over a province, with its agreements."""
    folder = province.folder / "home"
    settings = Settings(
        home=folder, agreements=folder / "agreements", base_url=URL, accept_synthetic_ids=True, checkpoint_milliseconds=0, worker=False
    )
    services = make_services(settings, province.workshop.database, province.workshop.contracts)
    services.register = province.register
    services.workshop = province.workshop
    services.tokens = _desk(province.workshop.clock)
    return create_app(services)


def asking(caller: str, **headers: str) -> dict[str, str]:
    """The headers of a request by a subsystem."""
    token = _desk(TickingClock()).issue(caller, START)
    return {"Authorization": f"Bearer {token}", **ASKING, **headers}


def _desk(clock: Clock) -> TokenDesk:
    return TokenDesk(KEY, URL, 600, clock)  # minutes of a clock that ticks at each look
