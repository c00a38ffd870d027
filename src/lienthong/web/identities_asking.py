"""Asked with a description: whose it may be, and what is held of them already.

What the agreement withholds or masks takes no part in any comparison, so no answer tells more than reading the golden records would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Operation
from lienthong.errors import Conflict, Unprocessable
from lienthong.ledger import Event
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.masterdata.headings import Meant
from lienthong.masterdata.own_list import SURE
from lienthong.pipeline import match_models
from lienthong.pipeline.asking_index import Candidate, candidates
from lienthong.pipeline.listing import attribute_values
from lienthong.sharing.filters import shown
from lienthong.sharing.formats import JSON
from lienthong.sharing.golden import Golden, read_goldens
from lienthong.standards import get_standard
from lienthong.store import Connection
from lienthong.store import identities as store
from lienthong.web.asking import PRIVATE
from lienthong.web.bodies import read_json
from lienthong.web.identities_desk import ENCODE, NOW, Asked, Desk, ask, golden_of, id_of, note

LARGEST_BODY = 20_000
MOST_TOLD = 20


async def match(desk: Desk, request: Request) -> Response:
    """`POST …:match`: the golden records a description may be of, nearest first, with reasons."""
    asked = await run_in_threadpool(ask, desk, request, Operation.LIST)
    document = _object(await read_json(request, LARGEST_BODY), {"attributes", "limit"})
    limit = document.get("limit", MOST_TOLD)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_TOLD:
        raise Unprocessable(f"`limit`: expected 1 to {MOST_TOLD}.", vi=f"`limit`: từ 1 đến {MOST_TOLD}.")
    content = ENCODE(document)

    def answer() -> Response:
        described = _described(desk, asked, document.get("attributes"))
        with desk.counter.connection() as connection:
            found, goldens = _found(desk, connection, asked, described.values)
        told = [_candidate(asked, one, goldens[one.golden]) for one in found[:limit]]
        body = ENCODE({"type": asked.entity.name, **described.said, "candidates": told})
        subject = found[0].golden if found else None
        note(desk, asked, Event.ENTITY_ASKED, "given", subject, None, body, {"operation": "match", "candidates": len(told)}, content)
        return Response(body, media_type=JSON, headers=PRIVATE)

    return await run_in_threadpool(answer)


async def held(desk: Desk, request: Request) -> Response:
    """`POST …:held`: is this known already, and by whom; with a value given, whether it agrees, where the caller may see the field."""
    asked = await run_in_threadpool(ask, desk, request, Operation.LOOK_UP)
    document = _object(await read_json(request, LARGEST_BODY), {"id", "attributes", "fields"})
    fields = document.get("fields")
    known = {p.name: p for p in asked.master.properties if p.key_position is None and p.name != PROVENANCE}
    if not isinstance(fields, dict) or not fields or not all(v is None or isinstance(v, str) for v in fields.values()):
        raise Unprocessable(
            '`fields`: expected {"field": "value in hand" or null}.', vi='`fields`: cần {"trường": "giá trị đang có" hoặc null}.'
        )
    _require_known("fields", fields, known)
    if ("id" in document) == ("attributes" in document):
        raise Unprocessable("Expected `id` or `attributes`, one of them.", vi="Cần `id` hoặc `attributes`, chỉ một trong hai.")
    content = ENCODE(document)

    def answer() -> Response:
        accept = desk.counter.workshop.accept_synthetic_ids
        golden, verdict, said = _meant(desk, asked, document)
        told = (
            {} if golden is None else {name: _field(asked, golden, name, value, accept_synthetic=accept) for name, value in fields.items()}
        )
        id = golden.id if golden is not None and asked.right.sees_key(asked.master) else None
        body = ENCODE({"type": asked.entity.name, "id": id, "verdict": verdict, **said, "fields": told})
        subject = None if golden is None else golden.id
        details = {"operation": "held", "fields": sorted(fields)}
        note(desk, asked, Event.ENTITY_ASKED, verdict, subject, None if golden is None else golden.version, body, details, content)
        return Response(body, media_type=JSON, headers=PRIVATE)

    return await run_in_threadpool(answer)


def _meant(desk: Desk, asked: Asked, document: Mapping[str, Any]) -> tuple[Golden | None, str, Mapping[str, Any]]:
    """(the golden record meant, `sure` · `maybe` · `none`, what is said of the description)."""
    if "id" in document:
        if not isinstance(document["id"], str):
            raise Unprocessable("`id`: expected text.", vi="`id`: cần chữ.")
        id = id_of(document["id"])
        with desk.counter.workshop.database.connect() as connection:
            resolved = store.resolve(connection, asked.entity.name, id)
        with desk.counter.connection() as connection:
            golden = golden_of(desk, connection, asked, id if resolved is None else resolved.id, NOW)
        return golden, "none" if golden is None else SURE, {}
    described = _described(desk, asked, document["attributes"])
    with desk.counter.connection() as connection:
        found, goldens = _found(desk, connection, asked, described.values)
    sure = [one for one in found if one.verdict == SURE]
    if len(sure) == 1:
        return goldens[sure[0].golden], SURE, described.said
    return None, "maybe" if found else "none", described.said


def _field(asked: Asked, golden: Golden, name: str, value: str | None, *, accept_synthetic: bool) -> dict[str, Any]:
    """Whether a field is held and by which register; the rest only as the agreement shows the field."""
    source = golden.held[name][0] if name in golden.held else None
    told: dict[str, Any] = {"held": source is not None, "by": _keeper(asked.entity, source)}
    if source is None or name not in asked.right.visible or name in asked.right.masked:
        return told
    held = golden.record["values"].get(name)
    told["value"] = held
    if value is not None:
        told["agrees"] = _same(asked.entity, name, value, held, accept_synthetic=accept_synthetic)
    return told


def _keeper(entity: Entity, source: str | None) -> dict[str, str] | None:
    for register in entity.registers:
        if register.source == source:
            contract = register.contract
            return {"dataset": contract.id, "agency": contract.agency, "vi": contract.title_vi, "en": contract.title_en}
    return None if source is None else {"dataset": "", "agency": entity.master.agency, "vi": "người quản lý dữ liệu gốc", "en": "a steward"}


def _same(entity: Entity, name: str, value: str, held: Any, *, accept_synthetic: bool) -> bool:
    """Whether people would call two values the same: by the standard's own key where the field has one."""
    columns = ((r.contract, source) for r in entity.registers for source in r.role.attributes.get(name, ()))
    for contract, source in columns:
        p = contract.property_named(source)
        if p.standard is not None:
            standard = get_standard(p.standard)
            options = {"accept_synthetic": accept_synthetic} if "accept_synthetic" in standard.known_options else {}
            given = standard.clean(value, {**p.standard_options, **options}).value
            if given is not None:
                return standard.compare_key(given) == standard.compare_key(held)
    return value.strip().casefold() == str(held).casefold()


def _require_known(where: str, named: Iterable[str], known: Collection[str]) -> None:
    """Raises Unprocessable for the first name in this part of the question that is not known."""
    for name in named:
        if name not in known:
            raise Unprocessable(
                f"`{where}`: there is no `{shown(name)}`.",
                hint=f"Known: {', '.join(known)}.",
                hint_vi=f"Đã biết: {', '.join(known)}.",
                vi=f"`{where}`: không có `{shown(name)}`.",
            )


@dataclass(frozen=True)
class _Description:
    """What of a description takes part. `said`: for the caller, which attributes did not, and why."""

    values: Mapping[str, str]
    said: Mapping[str, Any]


def _described(desk: Desk, asked: Asked, given: Any) -> _Description:
    """Only attributes the caller sees whole: comparing by others would tell them."""
    names = [attribute.name for attribute in asked.entity.plan.attributes]
    if not isinstance(given, dict) or not given or not all(isinstance(v, str) and "\x00" not in v for v in given.values()):
        raise Unprocessable('`attributes`: expected {"attribute": "value"}.', vi='`attributes`: cần {"thuộc tính": "giá trị"}.')
    _require_known("attributes", given, names)
    whole = asked.right.whole.intersection(given)
    frame = pl.DataFrame({name: pl.Series([given[name]], dtype=pl.String) for name in sorted(whole)})
    meant = [Meant(name, (name,), "", "") for name in sorted(whole)]
    values: dict[str, str] = {}
    if whole:
        cleaned, _ = attribute_values(frame, meant, asked.entity, accept_synthetic=desk.counter.workshop.accept_synthetic_ids)
        values = {name: value for name, value in cleaned.row(0, named=True).items() if value is not None}
    said = {
        "compared": sorted(values),
        "not_compared": {name: "not_of_form" if name in whole else "withheld" for name in sorted(given) if name not in values},
    }
    return _Description(values, said)


def _found(desk: Desk, connection: Connection, asked: Asked, values: Mapping[str, str]) -> tuple[list[Candidate], dict[str, Golden]]:
    """Candidates the agreement covers, with their golden records. Raises Conflict when the entity was never matched."""
    if not values:
        return [], {}
    with desk.counter.workshop.database.connect() as index:
        model = match_models.in_force(index, asked.entity)
        if model is None:
            raise Conflict(
                f"`{asked.entity.name}` has no index yet: no model is in force.",
                hint=f"lienthong match train {asked.entity.name} --adopt",
                vi=f"Chưa có chỉ mục của `{asked.entity.name}`: chưa có mô hình nào được dùng.",
            )
        goldens: dict[str, Golden] = {}

        def seen(ids: Sequence[str]) -> Mapping[str, Golden]:
            goldens.update(read_goldens(connection, desk.counter.desk, asked.master, asked.right, ids))
            return goldens

        return candidates(index, asked.entity, model, values, seen, asked.right.whole), goldens


def _candidate(asked: Asked, one: Candidate, golden: Golden) -> dict[str, Any]:
    lines = [
        {"compared": line.name, "bits": round(line.bits, 1), "vi": line.vietnamese, "en": line.english} for line in one.lines if line.bits
    ]
    return {
        "id": one.golden if asked.right.sees_key(asked.master) else None,
        "verdict": one.verdict,
        "bits": round(one.bits, 1),
        "probability": round(one.probability, 6),
        "reasons": lines,
        "values": golden.record["values"],
    }


def _object(document: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) - known:
        raise Unprocessable(f"Expected an object of {', '.join(sorted(known))}.", vi=f"Cần một đối tượng gồm {', '.join(sorted(known))}.")
    return document
