"""The pages of signing in: plain forms that need no script, Vietnamese first, under a policy that lets nothing else in."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from starlette.responses import Response

from lienthong.web.pages.rendering import environment


@cache
def script() -> bytes:
    """The script that asks for passkeys."""
    return resources.files("lienthong.web").joinpath("templates/passkey.js").read_bytes()


def page(name: str, status: int = 200, *, form_action: str = "", has_script: bool = False, **values: Any) -> Response:
    """A page. `form_action`: where a form may lead besides here (browsers hold it against redirects too); `has_script`: ours alone may run."""
    policy = (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_action}".rstrip()
        + ("; script-src 'self'; connect-src 'self'" if has_script else "")
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    body = environment().get_template(name).render({"is_sample": False, **values})
    return Response(body, status, headers=headers, media_type="text/html; charset=utf-8")
