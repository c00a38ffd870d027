"""Agreements on their way, so that no list of the demo is empty: one waits for an answer, one was refused, one is in force by the standing offer, a stop is announced."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from lienthong.access import Act, Actor, Operation, Role, State
from lienthong.clock import VIETNAM, vietnam_date
from lienthong.pipeline import Workshop, agreeing, stopping
from lienthong.pipeline.agreeing import AgreementRules, Said
from lienthong.sharing.register import RegisterReader
from lienthong.sharing.way_out import request_for
from lienthong.store import agreements as store
from lienthong.web.register_watch import read_register

ASKS, DATA = "VN/GOV/H10.12/tro-cap", "land.parcels"
NOTE = "mẫu · sample"
REQUESTS: tuple[tuple[str, str, dict[str, Any], tuple[str, str]], ...] = (
    ("land.holders", "xac-minh-dat-o", {"fields": "all"}, ("Xác minh đất ở khi xét trợ cấp", "Check housing land when aid is decided")),
    (
        "social-insurance.participants",
        "doi-chieu-bao-hiem",
        {"fields": "all"},
        ("Đối chiếu người tham gia bảo hiểm", "Compare insured persons"),
    ),
    ("licences.register", "thong-ke-giay-phep", {}, ("Thống kê giấy phép", "Count licences")),
)


def seed(place: Workshop, rules: AgreementRules, environment: str) -> dict[str, Any]:
    """File them once; gives how many agreements stand in each state."""
    with place.database.connect() as connection:
        held = {kept.dataset for kept in store.standing(connection) if kept.document.get("note") == NOTE}
    register = read_register(place, RegisterReader(place.contracts, rules.offices), environment).register
    today = vietnam_date(place.clock())
    asking = Actor("can-bo-mau", "H10.12", frozenset({Role.DATA_OFFICER}))
    for dataset, purpose, more, (vi, en) in REQUESTS:
        if dataset in held:
            continue
        body = request_for(place.contracts[dataset], ASKS, purpose, Operation.LIST, today, rules.offer)["body"]
        kept = agreeing.request(place, rules, register, asking, {**body, **more, "purposes": {purpose: {"vi": vi, "en": en}}, "note": NOTE})
        if dataset == "social-insurance.participants" and kept.state is State.REQUESTED:
            answering = Actor("can-bo-mau", kept.provider, frozenset({Role.DATA_OFFICER}))
            said = Said("Mục đích nêu trong đề nghị chưa thuộc chức năng của cơ quan khai thác", "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15")
            agreeing.act(place, rules, register, answering, kept.id, Act.REFUSE, said)
    _stop(place, rules)
    states: dict[str, int] = {}
    with place.database.connect() as connection:
        for kept in store.standing(connection):
            states[kept.state] = states.get(kept.state, 0) + 1
    return states


def _stop(place: Workshop, rules: AgreementRules) -> None:
    """A night's work on the parcels, ten working days ahead."""
    now = place.clock()
    with place.database.connect() as connection:
        if any(one.stop.dataset == DATA for one in store.stops(connection, now)):
            return
    provider = place.contracts[DATA].agency
    begins_at = datetime.combine(rules.offices.add(vietnam_date(now), 10), time(20), VIETNAM)
    owner = Actor("can-bo-mau", provider, frozenset({Role.DATA_OFFICER}))
    stopping.announce(place, rules, owner, DATA, provider, begins_at, begins_at + timedelta(hours=3), "Nâng cấp hệ thống đất đai")
