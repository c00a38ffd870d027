"""A steward's desk: records side by side, why they may be one, a word by one key, and every word can be taken back."""

from lienthong.web.pages.desk import acts, bulk, goldens, queue
from lienthong.web.pages.forms import Act
from lienthong.web.pages.site import Way

WAYS: list[Way] = [
    ("/desk", queue.entities),
    ("/desk/{type}", queue.next_pair),
    ("/desk/{type}/bulk", bulk.shown),
    ("/desk/{type}/goldens/{id}", goldens.shown),
    ("/desk/{type}/acts", acts.listed),
    ("/desk/{type}/acts/{act}", acts.shown),
]
FORMS: list[tuple[str, Act]] = [
    ("/desk/{type}/decisions", queue.decide),
    ("/desk/{type}/bulk", bulk.decide),
    ("/desk/{type}/goldens/{id}/split", goldens.split),
    ("/desk/{type}/acts/{act}/undo", acts.undo),
]
