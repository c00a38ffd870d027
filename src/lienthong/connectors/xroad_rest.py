"""A JSON service of another member, read through the province's X-Road security server; pages as `http_json` reads them."""

from __future__ import annotations

from collections.abc import Iterator

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.http_pages import HttpOptions, read_pages
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.connectors.xroad_asking import Asking, RestManner
from lienthong.contracts import Source


class XRoadRest:
    """Connector `xroad_rest`. `location` is the security server; options: `xroad`, `path`, and those of `http_json`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None  # the service would have to be read whole

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        asking = Asking.take(options, options.section("xroad"))
        path = options.text("path")
        server = expand(source.location, context.variables).rstrip("/")
        taken = HttpOptions.take(source, options, f"{server}/r1/{asking.service}{'/' if path and not path.startswith('/') else ''}{path}")
        yield from read_pages(taken, RestManner(asking), context, after)
