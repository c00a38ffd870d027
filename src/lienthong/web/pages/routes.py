"""Every page's address, and the files pages are made of."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from lienthong.web.pages import assets
from lienthong.web.pages.board import FORMS as BOARD_FORMS
from lienthong.web.pages.board import WAYS as BOARD
from lienthong.web.pages.board import forms as report_forms
from lienthong.web.pages.board import reporting
from lienthong.web.pages.console import FORMS as CONSOLE_FORMS
from lienthong.web.pages.console import WAYS as CONSOLE
from lienthong.web.pages.console import agreeing, bringing_back, drafts, handing_in, mending, subsystem
from lienthong.web.pages.desk import FORMS as DESK_FORMS
from lienthong.web.pages.desk import WAYS as DESK
from lienthong.web.pages.forms import form_routes
from lienthong.web.pages.operator import FORMS as OPERATOR_FORMS
from lienthong.web.pages.operator import WAYS as OPERATOR
from lienthong.web.pages.portal import FORMS as PORTAL_FORMS
from lienthong.web.pages.portal import WAYS as PORTAL
from lienthong.web.pages.portal import download
from lienthong.web.pages.site import Site, page_routes
from lienthong.web.pages.training import FORMS as TRAINING_FORMS
from lienthong.web.pages.training import WAYS as TRAINING
from lienthong.web.pages.training import lesson, papers


def routes_of(site: Site) -> list[Route]:
    """Narrower addresses first."""
    return [
        Route("/assets/{name}", assets.give),
        Route("/datasets/{dataset}/download/{format}", partial(download.give, site)),
        Route("/docs/{dataset}", _old_address),
        *page_routes(site, PORTAL),
        Route("/console/datasets/{dataset}/template.xlsx", partial(mending.give_template, site)),
        Route("/console/datasets/{dataset}/marked.xlsx", partial(mending.give_marked, site)),
        Route("/console/datasets/{dataset}/mended", partial(bringing_back.take_marked, site), methods=["POST"]),
        Route("/console/datasets/{dataset}/uploads", partial(handing_in.take, site), methods=["POST"]),
        Route("/console/drafts", partial(drafts.take, site), methods=["POST"]),
        Route("/console/subsystems/{agency}/{subsystem}/level", partial(subsystem.take, site), methods=["POST"]),
        Route("/console/drafts/{draft}/preview.xlsx", partial(drafts.give_preview, site)),
        Route("/console/uploads/{upload}/marked.xlsx", partial(handing_in.give_marked, site)),
        *form_routes(site, [*PORTAL_FORMS, *DESK_FORMS, *CONSOLE_FORMS, *OPERATOR_FORMS]),
        *form_routes(site, [*DESK_FORMS, *CONSOLE_FORMS, *BOARD_FORMS, *OPERATOR_FORMS]),
        Route("/figures/{figure}/{name}.{form}", partial(reporting.give, site)),
        Route("/board/reports/{report}/form", partial(report_forms.take, site), methods=["POST"]),
        *page_routes(site, BOARD),
        Route("/training/handbook.pdf", partial(papers.give_pdf, site)),
        Route("/training/{lesson}/practice.xlsx", partial(lesson.give_file, site)),
        *form_routes(site, [*TRAINING_FORMS, *agreeing.FORMS]),
        *page_routes(site, agreeing.WAYS),
        *page_routes(site, DESK),
        *page_routes(site, CONSOLE),
        *page_routes(site, OPERATOR),
        *page_routes(site, TRAINING),
    ]


async def _old_address(request: Request) -> RedirectResponse:
    """Where a dataset's page was before."""
    return RedirectResponse(f"/datasets/{request.path_params['dataset']}", 308)
