"""The training room: lessons done in the real pages against the sandbox, progress that was seen, papers to print. Elsewhere the text alone."""

from lienthong.web.pages.forms import Act
from lienthong.web.pages.site import Way
from lienthong.web.pages.training import entering, lesson, papers, room, teaching

WAYS: list[Way] = [
    ("/training", room.shown),
    ("/training/class", teaching.shown),
    ("/training/certificate", papers.certificate),
    ("/training/handbook", papers.handbook),
    ("/training/{lesson}", lesson.shown),
]
FORMS: list[tuple[str, Act]] = [
    ("/training/enter", entering.enter),
    ("/training/reset", teaching.reset),
    ("/training/{lesson}/begin", lesson.begin),
    ("/training/{lesson}/check", lesson.check),
]
