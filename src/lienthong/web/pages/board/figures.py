"""A figure as it was frozen: what it says, from what it was reckoned, by which formula, and its proof in the ledger. Paper leads here."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from lienthong.contracts.indicators.model import Level
from lienthong.errors import NotFound
from lienthong.pipeline.indicating import PLATFORM, figure_bytes
from lienthong.sharing.filters import shown as safely
from lienthong.sharing.receipts import receipt_of_answer
from lienthong.store import Connection
from lienthong.store import indicators as store
from lienthong.web import acting
from lienthong.web.pages.board import reporting, telling
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("code", "valid_from", "value", "base")


def shown(site: Site, visit: Visit) -> Page:
    name: str = visit.path["figure"]
    if re.fullmatch(r"[0-9a-f]{16}", name):
        return reporting.shown(site, visit)
    number = int(name) if name.isascii() and name.isdigit() and len(name) <= 18 else -1
    with site.connection() as connection:
        figure = next(iter(store.figures(connection, [number])), None)
        if figure is None:
            raise NotFound(f"There is no figure `{safely(name)}`.", vi=f"Không có số liệu `{safely(name)}`.")
        known = site.numbers.indicators().get(figure.indicator)
        if known is None or not telling.may_see(telling.reader_of(visit), known):
            acting.require(visit.request, *telling.SEES_ALL)
        parts = store.parts(connection, number)
        definition = store.definitions(connection, [figure.definition])[figure.definition]
        newest = store.newest(connection, figure.indicator, figure.period)
        body = figure_bytes(figure, parts)
        digest = hashlib.sha256(body).hexdigest()
        proof = proof_of(site, connection, digest)
    facts: dict[str, Any] = {
        **(telling.of_figure(figure) or {}),
        "indicator": figure.indicator,
        "definition": definition,
        "definition_digest": figure.definition,
        "reads": list(figure.reads),
        "value": figure.value,
        "base": figure.base,
        "parts": [{"code": p.code, "valid_from": p.valid_from, "value": p.value, "base": p.base} for p in parts],
        "digest": digest,
        "hashed": body.decode(),
        "proof": proof,
        "newer_revision": newest.figure if newest is not None and newest.figure != figure.figure else None,
    }
    table = Table(COLUMNS, [[each[column] for column in COLUMNS] for each in facts["parts"]])
    period = telling.period_said(visit.speech, known, figure.period)
    title = visit.speech.t("board.figure_title", title=visit.speech.of(definition, "title"), period=period)
    beside = {
        "has_places": definition["level"] != Level.NONE.value,
        "titles": {d: visit.speech.pick(c.title_vi, c.title_en) for d, c in site.contracts.items()},
        "total": visit.speech.number(None if figure.total is None else float(figure.total), int(definition["decimals"])),
        "agency": site.agency,
        "period": period,
        "unit": visit.speech.of(definition, "unit"),
    }
    return Page("board/figure.html", title, facts, table, beside, is_public=known is not None and known.is_public)


def proof_of(site: Site, connection: Connection, digest: str) -> dict[str, Any] | None:
    """The receipt of the entry that holds a digest; None for the few seconds before it has its place."""
    assert site.uses is not None  # the application's own site has it
    try:
        return receipt_of_answer(connection, site.uses.notary, PLATFORM, digest)
    except NotFound:
        return None
