"""Many pairs by one word: a pattern, what it would decide, and a decision that holds for exactly what was seen."""

from __future__ import annotations

import math
from typing import Any

from lienthong.errors import BadRequest
from lienthong.pipeline.bulk_deciding import MOST_PAIRS, VERDICTS, WHYS, Pattern, TooManyPairs, decide_all, preview
from lienthong.pipeline.explaining import explain
from lienthong.web.pages.desk.queue import pair_facts
from lienthong.web.pages.desk.standing import source_titles, steward_of
from lienthong.web.pages.desk.wording import wording_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit


def shown(site: Site, visit: Visit) -> Page:
    """The form of a pattern; with a verdict in the address, what it would decide."""
    steward = steward_of(site, visit)
    asked = {name: visit.text(name) for name in ("verdict", "why", "registers", "least_bits", "below_bits", "alike", "differing")}
    index = steward.index
    facts: dict[str, Any] = {
        "entity": steward.entity,
        "title": index.master.title_vi,
        "title_en": index.master.title_en,
        "asked": asked,
        "preview": None,
        "too_many": None,
    }
    rows: list[tuple[Any, ...]] = []
    found = None
    if asked["verdict"]:
        try:
            found = preview(site.counter.workshop, index, _pattern(asked), asked["verdict"], steward.official, steward.through)
        except TooManyPairs as error:
            facts["too_many"] = {"pairs": error.pairs, "most": MOST_PAIRS}
    if found is not None:
        told = explain(site.counter.workshop, index, [(each.left, each.right) for each in found.samples])
        samples = [pair_facts(site, visit, index.entity, each, why) for each, why in zip(found.samples, told, strict=True)]
        facts["preview"] = {
            "verdict": found.verdict, "pairs": found.pairs, "left_out": found.left_out, "records": found.records, "digest": found.digest,
            "samples": samples,
        }  # fmt: skip
        rows = [(s["item"], s["left"]["key"], s["right"]["key"], s["bits"]) for s in samples]
    sources = [register.source for register in index.entity.registers]
    titles = {source: visit.speech.pick(*source_titles(site, source)) for source in sources}
    sources = sorted(sources, key=lambda source: order_key(titles[source]))
    pairs = [(",".join(sorted((a, b))), f"{titles[a]} – {titles[b]}") for n, a in enumerate(sources) for b in sources[n:]]
    names = [{"name": p.name, "title": visit.speech.pick(p.title_vi, p.title_en)} for p in index.master.properties if p.match is not None]
    beside = {"verdicts": VERDICTS, "whys": WHYS, "register_pairs": pairs, "names": names, "said": wording_of(visit, index.entity)}
    return Page("desk/bulk.html", visit.speech.t("desk.bulk"), facts, Table(("item", "left", "right", "bits"), rows), beside)


def decide(site: Site, visit: Visit, form: Form) -> Any:
    """The decision, for the preview whose digest the form carries."""
    steward = steward_of(site, visit, form.get("csrf", ""))
    reason = text_in(form, "reason", "") or visit.speech.t("desk.reason_bulk")
    verdict, digest = text_in(form, "verdict"), text_in(form, "digest")
    done = decide_all(site.counter.workshop, steward.index, _pattern(form), verdict, digest, steward.official, reason, steward.through)
    return go(f"/desk/{steward.entity}", done=done.act, verdict=verdict)


def _pattern(asked: Any) -> Pattern:
    registers = tuple(name for name in asked.get("registers", "").split(",") if name)
    return Pattern(
        why=asked.get("why") or None,
        registers=(registers[0], registers[1]) if len(registers) == 2 else None,
        least_bits=_bits(asked.get("least_bits", ""), -math.inf),
        below_bits=_bits(asked.get("below_bits", ""), math.inf),
        alike=tuple(name for name in asked.get("alike", "").split(",") if name),
        differing=tuple(name for name in asked.get("differing", "").split(",") if name),
    )


def _bits(text: str, otherwise: float) -> float:
    """A number as a Vietnamese or an English reader types it."""
    if not text.strip():
        return otherwise
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError as error:
        raise BadRequest(f"`{text[:20]}`: expected a number of bits.", vi=f"`{text[:20]}`: cần một số bit.") from error
    return value if math.isfinite(value) else otherwise
