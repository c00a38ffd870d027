"""A golden record: each value with where it comes from, the records it is made of, what became of it; and taking it apart."""

from __future__ import annotations

import json
from typing import Any

from lienthong.errors import NotFound, Unprocessable
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.masterdata.joined_by import why_joined
from lienthong.pipeline import stewarding
from lienthong.store import stewarding as stored
from lienthong.store.answers import KEY, Ask, Condition, read_page
from lienthong.web.desk import clean_name, note_look, plain
from lienthong.web.pages.desk.standing import attributes, record_facts, source_titles, steward_of
from lienthong.web.pages.desk.wording import wording_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

GROUPS = "ABCDE"


def shown(site: Site, visit: Visit) -> Page:
    steward = steward_of(site, visit)
    id, master = plain(visit.path["id"]), steward.index.master
    names = tuple(p.name for p in master.properties)
    with site.counter.workshop.database.connect() as connection:
        found = stored.dossier(connection, steward.entity, id)
        page = read_page(connection, Ask(master.id, names, (Condition(KEY, "eq", id),), limit=1))
    if found is None:
        raise NotFound("No golden record of this id stands.", vi="Không có bản ghi gốc nào mang mã này.")
    note_look(steward, {"records": len(found["records"])})
    values = dict(zip(names, page.rows[0][3:], strict=True)) if page.rows else {}
    held = json.loads(values.pop(PROVENANCE, None) or "{}")
    told = []
    for p in master.properties:
        if p.name == PROVENANCE or p.key_position is not None or values.get(p.name) is None:
            continue
        source, key, rule, said = held.get(p.name, ("", "", "", 0))
        vi, en = source_titles(site, str(source))
        told.append(
            {
                "name": p.name,
                "title": p.title_vi,
                "title_en": p.title_en,
                "value": values[p.name],
                "source": source,
                "source_title": vi,
                "source_title_en": en,
                "key": key,
                "rule": rule,
                "said": said,
            }
        )
    facts = {
        "entity": steward.entity,
        "id": id,
        "master_title": master.title_vi,
        "master_title_en": master.title_en,
        "values": told,
        "records": [
            {**record_facts(site, r["source"], r["key"], id, r["content"]), "dated": r["dated"], "since": r["since"]}
            for r in found["records"]
        ],
        "judgements": found["judgements"],
        "events": found["events"],
        "overrides": found["overrides"],
    }
    beside = {
        "attributes": attributes(visit, master, *(r["content"] for r in found["records"])), "groups": GROUPS,
        "said": wording_of(visit, steward.index.entity),
        "why": lambda one: visit.speech.pick(*why_joined(one["kind"], one["reason"], master)),
    }  # fmt: skip
    columns = ("name", "value", "source", "key", "rule")
    table = Table(columns, [[each[name] for name in columns] for each in told])
    return Page("desk/golden.html", visit.speech.t("desk.golden_n", id=id), facts, table, beside)


def split(site: Site, visit: Visit, form: Form) -> Any:
    """Take it apart by the group chosen for each record; records without a group go where they fit best."""
    steward = steward_of(site, visit, form.get("csrf", ""))
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, group in form.items():
        if name.startswith("group:") and group in GROUPS and group:
            source, _, key = name.removeprefix("group:").partition("/")
            groups.setdefault(group, []).append(clean_name((source, key)))
    if len(groups) < 2:
        raise Unprocessable("A split needs two groups or more.", vi="Tách cần từ hai nhóm trở lên.")
    reason = text_in(form, "reason", "") or visit.speech.t("desk.reason_split")
    done = stewarding.split(site.counter.workshop, steward.index, list(groups.values()), steward.official, reason, steward.through)
    return go(f"/desk/{steward.entity}", done=done.act, verdict="apart")
