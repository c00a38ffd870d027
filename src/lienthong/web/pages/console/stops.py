"""Stops of one's dataset: those to come, announcing one, and taking one back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lienthong.access import Actor, earliest_stop
from lienthong.contracts import Contract
from lienthong.errors import Unprocessable
from lienthong.pipeline import stopping
from lienthong.pipeline.agreeing import rules_of
from lienthong.sharing.filters import shown as safely
from lienthong.web.desk import number_of
from lienthong.web.pages.console.owning import owner_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.portal.telling import stops_of
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import VIETNAM
from lienthong.web.pages.visiting import Visit

FORMS_OF_TIME = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M", "%H:%M %d/%m/%Y")


def earliest(site: Site, now: datetime) -> str:
    """The first day a stop announced now may begin on, unless it is forced; as a field of a form takes it."""
    rules = rules_of(site.settings)
    return earliest_stop(now, rules.offices, rules.clocks).isoformat()


def announce(site: Site, visit: Visit, form: Form) -> Any:
    """Tell everybody who uses the dataset when it will not answer."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    begins_at, ends_at = (_moment(form, name) for name in ("begins_at", "ends_at"))
    stopping.announce(
        site.counter.workshop, rules_of(site.settings), actor, contract.id, contract.agency, begins_at, ends_at, text_in(form, "reason"),
        is_forced=form.get("forced") == "yes",
    )  # fmt: skip
    return _back(contract, "stop_told")


def withdraw(site: Site, visit: Visit, form: Form) -> Any:
    """The stop does not take place, or is over early."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    _take_back(site, actor, contract, number_of("stop", visit.path["stop"]), text_in(form, "reason"))
    return _back(contract, "stop_taken_back")


def _take_back(site: Site, actor: Actor, contract: Contract, stop: int, reason: str) -> None:
    with site.counter.workshop.database.connect() as connection:
        known = {each["stop"] for each in stops_of(connection, contract.id, site.counter.clock())}
    if stop not in known:
        raise Unprocessable(f"No stop {stop} of this dataset is to come or under way.", vi=f"Không có đợt dừng {stop} của bộ dữ liệu này.")
    stopping.withdraw(site.counter.workshop, actor, contract.agency, stop, reason)


def _back(contract: Contract, said: str) -> Any:
    return go(f"/console/datasets/{contract.id}", said=said)


def _moment(form: Form, name: str) -> datetime:
    """A time of Vietnam, as browsers send it or as people write it."""
    text = text_in(form, name, "")
    for pattern in FORMS_OF_TIME:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=VIETNAM)
        except ValueError:
            continue
    raise Unprocessable(
        f"`{name}`: expected a day and time like 31/12/2026 18:00, found `{safely(text)}`.",
        vi=f"`{name}`: cần ngày và giờ dạng 31/12/2026 18:00, có `{safely(text)}`.",
    )
