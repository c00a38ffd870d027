"""The portal: no sign-in is needed to find data, understand it, see it, take it, and check what was promised."""

from lienthong.web.pages.portal import (
    by_default,
    dataset,
    docs,
    entry,
    home,
    looking,
    mine,
    offers,
    opening,
    preview,
    regulations,
    rehearsing,
    requests,
    search,
    service,
    trying,
    units,
)
from lienthong.web.pages.site import Way

WAYS: list[Way] = [
    ("/", home.shown),
    ("/datasets", search.shown),
    ("/datasets/{dataset}/preview", preview.shown),
    ("/datasets/{dataset}/try", trying.shown),
    ("/datasets/{dataset}", dataset.shown),
    ("/units/{code}", units.shown),
    ("/catalogue/{kind}/{id:path}", entry.shown),
    ("/open-data", opening.shown),
    ("/shared-by-default", by_default.shown),
    ("/regulations", regulations.listed),
    ("/regulations/{regulation}", regulations.shown),
    ("/status", looking.status),
    ("/proofs", looking.proofs),
    ("/docs", docs.shown),
    ("/services/{service}/try", rehearsing.shown),
    ("/services/{service}", service.shown),
    ("/services", offers.shown),
    ("/my-data/requests", requests.shown),
    ("/my-data", mine.shown),
]
FORMS = [("/my-data/requests", requests.ask), ("/open-data/{dataset}", opening.act), ("/shared-by-default/{agency}", by_default.review)]
