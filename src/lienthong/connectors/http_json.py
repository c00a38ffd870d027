"""A JSON or XML service of an agency: what is asked and how it is paged is `http_pages.py`, how it is spoken to `http_session.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.http_forms import Form, JsonForm, XmlForm
from lienthong.connectors.http_pages import HttpOptions, fingerprint_pages, read_pages, total_of_pages
from lienthong.connectors.http_session import Manner
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source


@dataclass(frozen=True)
class HttpService:
    """Connectors `http_json` and `http_xml`. Options: those of `http_pages.HttpOptions`."""

    form: Form

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        """What the service's ETag says, where the contract trusts it; else it would have to be read whole."""
        return fingerprint_pages(self._options(source, context), Manner())

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        yield from read_pages(self._options(source, context), Manner(), context, after)

    def total(self, source: Source, context: ReadContext) -> int | None:
        """How many rows the service says it has, where the contract names the place of its total."""
        return total_of_pages(self._options(source, context), Manner())

    def _options(self, source: Source, context: ReadContext) -> HttpOptions:
        return HttpOptions.take(source, Options.of(source, context), expand(source.location, context.variables), self.form)


HTTP_JSON = HttpService(JsonForm())
HTTP_XML = HttpService(XmlForm())
