"""What an answer of a service is written in: JSON, or XML read as strictly as XML files are. Values as text either way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from lxml import etree

from lienthong.connectors.json_values import INVALID, dig, items_in, objects_in, text_of
from lienthong.connectors.xml_file import values_at
from lienthong.errors import HostileInputError

Path = tuple[str, ...]
Values = dict[str, str | None]


class NotTheForm(ValueError):
    """The answer, or one item of it, is not what was expected."""


class Page(Protocol):
    """One answer, parsed."""

    def items(self, path: Path) -> Sequence[object]: ...

    def text(self, path: Path) -> str | None: ...


class Form(Protocol):
    """`values` of one item, by path, or all it has where no fields are named. Raises NotTheForm for an item that has none."""

    accepts: str

    def page(self, body: bytes) -> Page: ...

    def values(self, item: object, fields: Mapping[str, Path]) -> Values: ...

    def value(self, item: object, path: Path) -> str | None: ...

    def shown(self, item: object) -> str: ...


class JsonPage:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def items(self, path: Path) -> Sequence[object]:
        try:
            if not path:
                return items_in(self._body)
            raw = dig(objects_in(self._body), path)
            if raw is None:
                raise NotTheForm(f"no `{'.'.join(path)}` in it")
            return items_in(raw)
        except INVALID as error:
            raise NotTheForm(str(error)) from error

    def text(self, path: Path) -> str | None:
        try:
            return text_of(dig(objects_in(self._body), path))
        except INVALID as error:
            raise NotTheForm(str(error)) from error


class JsonForm:
    accepts = "application/json"

    def page(self, body: bytes) -> Page:
        return JsonPage(body)

    def values(self, item: object, fields: Mapping[str, Path]) -> Values:
        try:
            members = objects_in(_raw(item))
            if fields:
                return {column: text_of(dig(members, path)) for column, path in fields.items()}
            return {column: text_of(value) for column, value in members.items()}
        except INVALID as error:
            raise NotTheForm(str(error)) from error

    def value(self, item: object, path: Path) -> str | None:
        return text_of(dig(objects_in(_raw(item)), path))

    def shown(self, item: object) -> str:
        return bytes(_raw(item)).decode("utf-8", "backslashreplace")


def _raw(item: object) -> msgspec.Raw:
    assert isinstance(item, msgspec.Raw)  # what JsonPage gives
    return item


class XmlPage:
    """Elements by local name; the path of items is the name of the row element, wherever it stands."""

    def __init__(self, body: bytes) -> None:
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True, remove_comments=True
        )
        try:
            self._root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise NotTheForm(str(error)) from error
        if self._root.getroottree().docinfo.doctype:
            raise HostileInputError("câu trả lời có khai báo DOCTYPE / the answer has a document type declaration: refused.")

    def items(self, path: Path) -> Sequence[object]:
        name = path[-1] if path else ""
        return [each for each in self._root.iter(f"{{*}}{name}") if not any(_local(up) == name for up in each.iterancestors())]

    def text(self, path: Path) -> str | None:
        found = values_at(self._root, path)
        return found[0].strip() if found else None


class XmlForm:
    accepts = "application/xml, text/xml"

    def page(self, body: bytes) -> Page:
        return XmlPage(body)

    def values(self, item: object, fields: Mapping[str, Path]) -> Values:
        return {column: self.value(item, path) for column, path in fields.items()}

    def value(self, item: object, path: Path) -> str | None:
        assert isinstance(item, etree._Element)  # noqa: SLF001 # lxml's only name for its elements; what XmlPage gives
        found = values_at(item, path)
        if len(found) > 1:
            raise NotTheForm(f"`{'/'.join(path)}` is there {len(found)} times")
        return found[0] if found else None

    def shown(self, item: object) -> str:
        assert isinstance(item, etree._Element)  # noqa: SLF001 # as above
        return str(etree.tostring(item, encoding="unicode", with_tail=False))


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
