"""The leader's board: what the province's numbers say, under which borders, and who explains them."""

from lienthong.web.pages.board import explaining, figures, forms, home, indicator, quality, reporting
from lienthong.web.pages.forms import Act
from lienthong.web.pages.site import Way

WAYS: list[Way] = [
    ("/board", home.shown),
    ("/board/reports", reporting.listed),
    ("/board/reports/{report}/form", forms.shown),
    ("/board/quality", quality.shown),
    ("/board/{indicator}", indicator.shown),
    ("/figures/{figure}", figures.shown),
    ("/console/explanations", explaining.listed),
]
FORMS: list[tuple[str, Act]] = [
    ("/board/reports/{report}", reporting.file),
    ("/board/{indicator}/questions", explaining.ask),
    ("/console/explanations/{question}", explaining.answer),
]
