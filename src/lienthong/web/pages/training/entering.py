"""The way in: a name and an agency. Whoever enters is, for the lessons, also a citizen who does not exist."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_urlsafe

from starlette.responses import Response

from lienthong.access import SignedIn
from lienthong.errors import Denied
from lienthong.pipeline.training import citizen_number, join
from lienthong.pipeline.training.acts import handle_of
from lienthong.web import acting
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.site import Site
from lienthong.web.pages.training.sitting import is_sandbox, room_of
from lienthong.web.pages.visiting import Visit

GUESTS = "urn:lienthong:sandbox"  # the issuer of those who came by name alone
OURS = ("same-origin", "none", "")


def enter(site: Site, visit: Visit, form: Form) -> Response:
    """Join, and go on under a session that carries the invented citizen and no real one."""
    if not is_sandbox(site):
        raise Denied("Lessons are done in a sandbox.", rule="no_sandbox", vi="Bài học chỉ làm trong vùng thực hành.")
    session = acting.session_with(visit.request, form.get("csrf", ""))
    if session is None and (not site.settings.sandbox_guests or visit.request.headers.get("sec-fetch-site", "") not in OURS):
        raise acting.refusal("no_identity")
    name, agency = text_in(form, "name"), text_in(form, "agency")
    who = session.who if session is not None else SignedIn(GUESTS, token_urlsafe(12), name)
    room = room_of(site)
    join(room, who, name, agency)
    response = go("/training")
    number = citizen_number(room, session.person.handle if session is not None and session.person is not None else handle_of(who))
    visit.request.app.state.acting.sessions.begin(response, replace(who, citizen=number), after=visit.request)
    return response
