"""What waits for a person: the entities one looks after, and the next pair, with everything needed to say a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from difflib import SequenceMatcher
from typing import Any

from lienthong.access import Role
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.waterfall import Line
from lienthong.pipeline import stewarding
from lienthong.pipeline.explaining import Explained, explain
from lienthong.pipeline.stewarding import Waiting
from lienthong.standards.admin_units import units_by_code, units_on
from lienthong.store import pages as store
from lienthong.store import stewarding as stored
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.pages.borders import name_of
from lienthong.web.pages.desk.standing import attributes, entity_title, record_facts, steward_of
from lienthong.web.pages.desk.wording import Said, wording_of
from lienthong.web.pages.drawing import Area, Series, area_map, lines, waterfall
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

DAYS = 30
LATER = timedelta(hours=20)  # a pair put off comes back the next working day
LEAST_SHOWN = 0.05  # bits that a drawing shows
MOST_WORDS = 5  # of a text compared by letters
_PARTS = re.compile(r"\s+|[^\s,]+|,")
BESIDE = 6  # further pairs named below the one that is open


def entities(site: Site, visit: Visit) -> Page:
    """The desks of one's agency: what waits at each, and how much was done. Work is counted, persons are not."""
    actor = acting.require(visit.request, Role.STEWARD)
    mine = {name: entity for name, entity in entities_of(site.contracts).items() if actor.is_of(entity.master.agency)}
    since = site.counter.clock() - timedelta(days=DAYS)
    told, drawings = [], {}
    with site.counter.workshop.database.connect() as connection:
        held = {dataset: standing.records for dataset, standing in store.standings(connection).items()}
        for name, entity in mine.items():
            waits = store.queue_now(connection, name)
            done = store.decisions_by_day(connection, name, since)
            registers = {register.source.partition("#")[0] for register in entity.registers}
            told.append(
                {
                    "entity": name,
                    "title": entity.master.title_vi,
                    "title_en": entity.master.title_en,
                    "waiting": sum(count for _, count, _ in waits),
                    "oldest_at": min((since for _, _, since in waits), default=None),
                    "records": sum(held.get(register, 0) for register in registers),  # by their versions: counting rows takes seconds
                    "goldens": held.get(entity.master.id, 0),
                    "decided": sum(count for _, count, _ in done),
                    "undone": sum(count for _, _, count in done),
                    "days": [{"day": day, "decided": decided, "undone": undone} for day, decided, undone in done],
                }
            )
            if len(done) > 1:
                labels = [visit.speech.day(day)[:5] for day, _, _ in done]
                words = visit.speech.t("desk.done_chart", name=entity_title(visit, entity))
                drawings[name] = lines(
                    labels, [Series(visit.speech.t("desk.decisions"), [n for _, n, _ in done])], words, visit.speech.number
                )
    columns = ("entity", "waiting", "oldest_at", "records", "goldens", "decided", "undone")
    table = Table(columns, [[each[name] for name in columns] for each in told])
    return Page("desk/entities.html", visit.speech.t("desk.title"), {"days": DAYS, "entities": told}, table, {"drawings": drawings})


def next_pair(site: Site, visit: Visit) -> Page:
    """The next pair to decide, or the one asked for; it is this person's for a quarter of an hour."""
    steward = steward_of(site, visit)
    workshop, index = site.counter.workshop, steward.index
    waiting = stewarding.queue(workshop, index, steward.official, 1 + BESIDE, steward.through)
    wanted = visit.whole("item", 0, 2**62)
    opened = next((each for each in waiting if each.item == wanted), waiting[0] if waiting else None)
    with workshop.database.connect() as connection:
        left = store.queue_left(connection, steward.entity, steward.official, site.counter.clock())
        dossiers = [stored.dossier(connection, steward.entity, id) for id in (opened.left_golden, opened.right_golden)] if opened else []
    done = visit.whole("done", 0, 2**62)
    facts: dict[str, Any] = {
        "entity": steward.entity,
        "title": index.master.title_vi,
        "title_en": index.master.title_en,
        "left": left,
        "done": done or None,
        "verdict": visit.text("verdict") or None,
        "open_minutes": stewarding.OPEN_MINUTES,
        "pair": None,
        "others": [{"item": w.item, "why": w.why, "bits": w.bits, "records": w.records} for w in waiting if w is not opened],
    }
    if opened is None:
        return Page("desk/pair.html", visit.speech.t("desk.queue_of", name=entity_title(visit, index.entity)), facts)
    (why,) = explain(workshop, index, [(opened.left, opened.right)])
    said = wording_of(visit, index.entity)
    facts["pair"] = _pair(site, visit, index.master, opened, why, said)
    facts["pair"]["history"] = [event for dossier in dossiers if dossier for event in dossier["events"]][-10:]
    rows = [(a["name"], opened.left_content.get(a["name"]), opened.right_content.get(a["name"])) for a in facts["pair"]["attributes"]]
    beside = {"drawing": _drawing(visit, why), "map": _map(site, visit, index.master, opened), "said": said}
    table = Table(("attribute", "left", "right"), rows)
    return Page("desk/pair.html", visit.speech.t("desk.queue_of", name=entity_title(visit, index.entity)), facts, table, beside)


def pair_facts(site: Site, visit: Visit, entity: Entity, waiting: Waiting, why: Explained) -> dict[str, Any]:
    """One pair as pages tell it."""
    return _pair(site, visit, entity.master, waiting, why, wording_of(visit, entity))


def _pair(site: Site, visit: Visit, master: Contract, waiting: Waiting, why: Explained, said: Said) -> dict[str, Any]:
    names = attributes(visit, master, waiting.left_content, waiting.right_content)
    return {
        "item": waiting.item,
        "why": waiting.why,
        "records": waiting.records,
        "left": record_facts(site, *waiting.left, waiting.left_golden, waiting.left_content),
        "right": record_facts(site, *waiting.right, waiting.right_golden, waiting.right_content),
        "attributes": [_compared(each, waiting.left_content, waiting.right_content, said) for each in names],
        "bits": why.bits,
        "cut": why.cut,
        "mean_bits": waiting.bits,
        "reasons": [
            {"compared": line.name, "bits": line.bits, "sum": line.sum_bits, "vi": line.vietnamese, "en": line.english}
            for line in why.lines
        ],
    }


def _compared(attribute: Mapping[str, str], left: Mapping[str, Any], right: Mapping[str, Any], said: Said) -> dict[str, Any]:
    """An attribute of both. `lit`: of two texts that differ, as they are read, the pieces of each and whether the other has them too."""
    name = attribute["name"]
    state = _state(name, left, right)
    a, b = left.get(name), right.get(name)
    lit = _lit(said(name, a), said(name, b)) if state == "differs" and isinstance(a, str) and isinstance(b, str) else None
    return {**attribute, "state": state, "lit": lit}


def _lit(left: str, right: str) -> dict[str, list[tuple[str, bool]]]:
    """By letters, as names differ; by words where there are many, as addresses do: single letters that happen to agree say nothing there."""
    is_long = max(len(left.split()), len(right.split())) > MOST_WORDS
    a_parts, b_parts = (_PARTS.findall(text) if is_long else list(text) for text in (left, right))
    found = SequenceMatcher(None, a_parts, b_parts, autojunk=False).get_opcodes()
    return {
        "left": [("".join(a_parts[a:b]), tag == "equal") for tag, a, b, _, _ in found if a < b],
        "right": [("".join(b_parts[a:b]), tag == "equal") for tag, _, _, a, b in found if a < b],
    }


def _state(name: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    """alike, differs, or one (only one of them says anything)."""
    if left.get(name) is None or right.get(name) is None:
        return "one"
    return "alike" if left[name] == right[name] else "differs"


def _drawing(visit: Visit, why: Explained) -> Any:
    """What moves the weight; what counts for nothing is only in the words."""
    steps = [
        (_line_title(visit, line), line.bits, line.sum_bits, f"{'+' if line.bits > 0 else ''}{visit.speech.number(line.bits, 1)}")
        for line in why.lines
        if abs(line.bits) >= LEAST_SHOWN
    ]
    return waterfall(steps, visit.speech.t("desk.waterfall_words", bits=round(why.bits, 1)))


def _line_title(visit: Visit, line: Line) -> str:
    key = f"desk.step_{line.name}"
    return visit.speech.t(key) if visit.speech.has(key) else visit.speech.pick(line.vietnamese, line.english).partition(":")[0]


def _map(site: Site, visit: Visit, master: Contract, waiting: Waiting) -> Any:
    """Where the two records place somebody: the left commune, the right one, or both at once."""
    places = [p.name for p in master.properties if p.match is not None and p.match.kind == "place"]
    told_left, told_right = ({str(one[name]) for name in places if one.get(name)} for one in (waiting.left_content, waiting.right_content))
    today = vietnam_date(site.counter.clock())
    left, right = _today(told_left, today), _today(told_right, today)
    if not left or not right:
        return ""
    shades: dict[str, float | None] = {**dict.fromkeys(right, 2.0), **dict.fromkeys(left, 1.0), **dict.fromkeys(left & right, 3.0)}
    steps = {1.0: 2, 2.0: 4, 3.0: 5}
    areas = site.borders.shaded(shades, lambda name, _: name, lambda code: f"/units/{code}")
    coloured = [Area(a.rings, steps.get(shades.get(a.address.rpartition("/")[2]) or 0.0, 0), a.told) for a in areas]
    if sum(1 for a in coloured if a.step) < len(left | right):
        return ""
    named = (", ".join(map(name_of, sorted(codes))) for codes in (told_left, told_right))
    return area_map(coloured, visit.speech.t("desk.map_words", left=next(named), right=next(named)), 360)


def _today(codes: Iterable[str], today: date) -> set[str]:
    """The communes of today that codes of any time mean: a register may not have heard of a merger yet."""
    newest = [max(found, key=lambda unit: unit.valid_from) for code in codes if (found := units_by_code().get(code))]
    return {unit.code for each in newest for unit in units_on(each, today)}


# Acting


def decide(site: Site, visit: Visit, form: Form) -> Any:
    """One word about one pair, then the next pair. Where a second person must agree, that is said and the pair waits for them."""
    steward = steward_of(site, visit, form.get("csrf", ""))
    workshop, index = site.counter.workshop, steward.index
    item = number_of("item", text_in(form, "item"))
    verdict, here = text_in(form, "verdict"), f"/desk/{steward.entity}"
    with workshop.database.connect() as connection:
        pair = stored.pair_of(connection, steward.entity, item)
    if pair is None:
        raise NotFound(f"Nothing waits under {item}.", hint="", vi=f"Mục {item} không còn chờ: đã được quyết định, hoặc bản ghi đã đổi.")
    if verdict == "later":
        stewarding.defer(workshop, item, site.counter.clock() + LATER)
        return go(here, verdict="later")
    if verdict not in stewarding.VERDICTS:
        raise Unprocessable(f"`{verdict[:20]}` is no verdict.", vi="Chưa chọn kết luận.")
    reason = text_in(form, "reason", "") or visit.speech.t("desk.reason_seen")
    try:
        done = stewarding.decide(workshop, index, *pair, verdict, steward.official, reason, steward.through)
    except Conflict:
        stewarding.defer(workshop, item, site.counter.clock() + LATER)
        return go(here, verdict="second")
    return go(here, done=done.act, verdict=verdict)
