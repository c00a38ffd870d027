"""The console of an agency: its sources and how they are, what waits to be mended, files handed in."""

from lienthong.web.pages.console import drafts, handing_in, mending, sources
from lienthong.web.pages.forms import Act
from lienthong.web.pages.site import Way

WAYS: list[Way] = [
    ("/console", sources.listed),
    ("/console/drafts", drafts.listed),
    ("/console/drafts/{draft}", drafts.shown),
    ("/console/uploads/{upload}", handing_in.shown),
    ("/console/datasets/{dataset}", sources.shown),
    ("/console/datasets/{dataset}/quarantine", mending.listed),
]
FORMS: list[tuple[str, Act]] = [
    ("/console/drafts/{draft}", drafts.act),
    ("/console/datasets/{dataset}/quarantine/{item}", mending.mend),
    ("/console/datasets/{dataset}/runs/{run}", sources.decide),
]
