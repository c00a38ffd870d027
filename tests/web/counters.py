"""A province of two datasets with a counter to ask at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lienthong.access import Agreement, Operation, Register, RowCondition, State
from lienthong.contracts import Contract, Sensitivity, Sharing
from lienthong.errors import LienthongError
from lienthong.pipeline import Workshop, run_dataset
from lienthong.web.asking import Counter
from lienthong.web.authorising import Authoriser
from lienthong.web.records import routes_of
from tests.factories import make_contract, make_property, make_workshop, write_people

OWNER = "VN/GOV/H10.02/nguon"
READER = "VN/GOV/H10.12/tro-cap"
PART = "VN/GOV/H10.10/mot-phan"
SENDER = "VN/GOV/H10.04/gui"
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
    people = make_contract(str(folder / "people.csv"), properties=PEOPLE)
    codes = make_contract(str(folder / "codes.csv"), id="test.codes", properties=CODES, sharing=Sharing.OPEN)
    workshop = make_workshop(database_url, people, codes)
    province = Province(workshop, people, codes, folder)
    province.publish_people(list(ROWS))
    (folder / "codes.csv").write_text("code,label\n01,Một\n02,Hai\n", encoding="utf-8")
    run_dataset(workshop, codes)
    return province


def entries(province: Province) -> Iterator[str]:
    """The bodies of the ledger, in order."""
    with province.workshop.database.connect() as connection:
        for row in connection.execute("select body from ledger_entries order by position").fetchall():
            yield row[0]


def _identify(request: Request) -> str | None:
    """A simulation of token verification: the token is the name of its bearer."""
    token = request.headers.get("authorization", "")
    return token.removeprefix("Bearer ") or None


def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, LienthongError)
    status = getattr(error, "status", 500)
    body = {"type": "about:blank", "title": error.code, "status": status, "code": error.code, "detail": str(error), **error.facts}
    return JSONResponse(body, status, media_type="application/problem+json")


def make_app(province: Province) -> Starlette:
    """The routes of this room alone, with simulated tokens."""
    authorise = Authoriser(province.workshop, lambda: province.register, _identify)
    counter = Counter(province.workshop, authorise, "http://testserver", is_sample=True)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        counter.close()

    return Starlette(routes=routes_of(counter), exception_handlers={LienthongError: _problem}, lifespan=life)


def asking(caller: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {caller}", **ASKING, **headers}
