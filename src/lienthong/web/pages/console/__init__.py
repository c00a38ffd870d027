"""The console of an agency: its sources and how they are, what waits to be mended, files handed in."""

from lienthong.web.pages.console import (
    asking,
    beside,
    corrections,
    drafts,
    exchange,
    fixing,
    handing_in,
    landed,
    mending,
    opening,
    sources,
    stops,
    subsystem,
)
from lienthong.web.pages.forms import Act
from lienthong.web.pages.site import Way

WAYS: list[Way] = [
    ("/console", sources.listed),
    ("/console/exchange", exchange.shown),
    ("/console/subsystems/{agency}/{subsystem}", subsystem.shown),
    ("/console/asking", asking.shown),
    *beside.WAYS,
    ("/console/corrections", corrections.listed),
    ("/console/drafts", drafts.listed),
    ("/console/drafts/{draft}", drafts.shown),
    ("/console/uploads/{upload}", handing_in.shown),
    ("/console/datasets/{dataset}", sources.shown),
    ("/console/datasets/{dataset}/quarantine", mending.listed),
    ("/console/datasets/{dataset}/landed/{run}/{row}", landed.shown),
    ("/console/datasets/{dataset}/fix", fixing.shown),
    ("/console/datasets/{dataset}/opening", opening.shown),
]
FORMS: list[tuple[str, Act]] = [
    ("/console/subscriptions/{subscription}/replay", exchange.replay),
    ("/console/asking", asking.ask),
    *beside.FORMS,
    ("/console/corrections/{proposal}", corrections.decide),
    ("/console/drafts/{draft}", drafts.act),
    ("/console/datasets/{dataset}/quarantine/{item}", mending.mend),
    ("/console/datasets/{dataset}/landed", landed.find),
    ("/console/datasets/{dataset}/fix", fixing.act),
    ("/console/datasets/{dataset}/runs/{run}", sources.decide),
    ("/console/datasets/{dataset}/stops", stops.announce),
    ("/console/datasets/{dataset}/stops/{stop}", stops.withdraw),
    ("/console/datasets/{dataset}/opening", opening.act),
    ("/console/datasets/{dataset}/opening/{proposal}", opening.second),
]
