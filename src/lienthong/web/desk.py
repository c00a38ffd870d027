"""What every address of a steward's desk shares: who acts on which entity, what may be sent, and the entry that a look leaves.

The person is the `Lienthong-Official` of the request: the first and the second of two persons are told apart by it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.masterdata.entities import entities_of
from lienthong.pipeline import match_models
from lienthong.pipeline.matching import EntityIndex, Name, index_of
from lienthong.pipeline.stewarding import Through
from lienthong.sharing.filters import read_known, shown
from lienthong.web.asking import Counter, json_answer
from lienthong.web.authorising import OWN, Authoriser
from lienthong.web.bodies import read_json

LARGEST_BODY = 1_000_000
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Steward:
    """Who acts on which entity."""

    counter: Counter
    index: EntityIndex
    official: str
    through: Through

    @property
    def entity(self) -> str:
        return self.index.entity.name


Act = Callable[[Steward, Request, Mapping[str, Any]], Any]
Way = tuple[str, Act, str, tuple[str, ...]]  # path under the entity, what it does, method, fields of what is sent


def desk_routes(counter: Counter, authorise: Authoriser, ways: list[Way]) -> list[Route]:
    """Routes under `/v1/stewardship/{type}/`, for the agency that keeps the golden records."""
    return [
        Route(f"/v1/stewardship/{{type}}/{path}", _answering(counter, authorise, act, fields), methods=[method])
        for path, act, method, fields in ways
    ]


def _answering(counter: Counter, authorise: Authoriser, act: Act, fields: tuple[str, ...]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        steward = await run_in_threadpool(_steward, counter, authorise, request)
        document: Mapping[str, Any] = {}
        if fields:
            read_known(request.query_params.multi_items(), ())
            document = _object(await read_json(request, LARGEST_BODY), fields)
        return json_answer(await run_in_threadpool(act, steward, request, document))

    return answer


def _steward(counter: Counter, authorise: Authoriser, request: Request) -> Steward:
    entities = entities_of(counter.contracts)
    entity = entities.get(request.path_params["type"])
    if entity is None:
        name = shown(request.path_params["type"])
        raise NotFound(f"No master contract describes the entity `{name}`.", vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.")
    right = authorise(request, entity.master, OWN)
    with counter.workshop.database.connect() as connection:
        index = index_of(entities, entity.name, match_models.in_force(connection, entity))
    return Steward(counter, index, right.official, Through(right.caller, right.purpose))


def note_look(steward: Steward, details: Mapping[str, Any]) -> None:
    """A steward who looks is in the ledger as one who reads the queue is."""
    entry = Entry(
        at=steward.counter.clock(),
        event=Event.QUEUE_READ,
        caller=steward.through.caller,
        official=steward.official,
        purpose=steward.through.purpose,
        dataset=steward.index.master.id,
        outcome="done",
        details=details,
    )
    steward.counter.append(entry)


# What is sent


def _object(document: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(document, dict) or set(document) - set(known):
        raise Unprocessable(f"Expected an object of {', '.join(known)}.", vi=f"Cần một đối tượng gồm {', '.join(known)}.")
    return document


def text_of(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or "\x00" in value or len(value) > 2_000:
        raise Unprocessable(f"`{name}`: expected text.", vi=f"`{name}`: cần chữ.")
    return value


def name_of(document: Mapping[str, Any], place: str) -> Name:
    value = document.get(place)
    if not isinstance(value, dict) or set(value) != {"source", "key"} or not all(isinstance(part, str) for part in value.values()):
        raise Unprocessable(f'`{place}`: expected {{"source", "key"}}.', vi=f'`{place}`: cần {{"source", "key"}}.')
    return clean_name((value["source"], value["key"]))


def clean_name(name: Name) -> Name:
    return plain(name[0]), plain(name[1])


def plain(text: str) -> str:
    if "\x00" in text:
        raise BadRequest("A name holds no NUL.", vi="Tên không chứa NUL.")
    return text


def number_of(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= LARGEST_NUMBER:
        raise BadRequest(f"`{name}`: expected a number.", vi=f"`{name}`: cần một số.")
    return int(text)
