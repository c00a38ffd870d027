"""What portals are expected to have: news as Atom, a map of the site, and a dataset as schema.org sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from lienthong.catalog.ways import FILE, Way, ways_of
from lienthong.contracts import LICENCES, Contract
from lienthong.store.catalogue import News

ATOM = "application/atom+xml"
MOST_ADDRESSES = 50_000  # of one map, by its standard
_ATOM = "http://www.w3.org/2005/Atom"
_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def atom(base: str, news: Sequence[News], contracts: Mapping[str, Contract], agencies: Mapping[str, str], now: datetime) -> bytes:
    """What was published lately, newest first."""
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(feed, "id", f"{base}/changes.atom")
    _add(feed, "title", "Liên thông: dữ liệu mới công bố")
    _add(feed, "updated", (news[0].known_at if news else now).astimezone(UTC).isoformat(timespec="seconds"))
    _add(feed, "link", rel="self", href=f"{base}/changes.atom", type=ATOM)
    _add(feed, "link", rel="alternate", href=f"{base}/datasets", type="text/html")
    for each in news:
        contract = contracts.get(each.dataset)
        if contract is None:
            continue
        entry = etree.SubElement(feed, f"{{{_ATOM}}}entry")
        _add(entry, "id", f"{base}/dataset/{contract.id}#v{each.version}")
        _add(entry, "title", f"{contract.title_vi}: phiên bản {each.version}")
        _add(entry, "updated", each.known_at.astimezone(UTC).isoformat(timespec="seconds"))
        _add(etree.SubElement(entry, f"{{{_ATOM}}}author"), "name", agencies.get(contract.agency, contract.agency))
        _add(entry, "link", rel="alternate", href=f"{base}/datasets/{contract.id}", type="text/html")
        _add(
            entry,
            "summary",
            f"{each.inserted} thêm mới, {each.updated} thay đổi, {each.ended} kết thúc · {each.inserted} new, {each.updated} changed, {each.ended} ended",
        )
    made: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
    return made


def sitemap(base: str, addresses: Iterable[tuple[str, datetime | None]]) -> bytes:
    """(path, last change) of every page there is for everybody."""
    root = etree.Element(f"{{{_MAP}}}urlset", nsmap={None: _MAP})
    for count, (path, changed) in enumerate(addresses):
        if count == MOST_ADDRESSES:
            break
        url = etree.SubElement(root, f"{{{_MAP}}}url")
        etree.SubElement(url, f"{{{_MAP}}}loc").text = base + path
        if changed is not None:
            etree.SubElement(url, f"{{{_MAP}}}lastmod").text = changed.astimezone(UTC).isoformat(timespec="seconds")
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return made


def schema_org(contract: Contract, base: str, agency: str, modified: datetime | None, *, is_given: bool) -> dict[str, Any]:
    """A dataset as search engines read it; downloads only where everybody may have them."""
    licence = LICENCES.get(contract.licence or "")
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": f"{base}/dataset/{contract.id}",
        "url": f"{base}/datasets/{contract.id}",
        "name": contract.title_vi,
        "alternateName": contract.title_en,
        "description": contract.description_vi or contract.title_vi,
        "identifier": contract.id,
        "version": contract.version,
        "inLanguage": "vi",
        "isAccessibleForFree": is_given,
        "creator": {"@type": "GovernmentOrganization", "name": agency, "identifier": contract.agency},
        "includedInDataCatalog": {"@type": "DataCatalog", "name": "Liên thông", "url": f"{base}/datasets"},
        "variableMeasured": [{"@type": "PropertyValue", "name": p.title_vi, "alternateName": p.name} for p in contract.properties],
        "keywords": [p.title_vi for p in contract.properties][:20],
    }
    if modified is not None:
        found["dateModified"] = modified.isoformat()
    if licence is not None:
        found["license"] = licence.url or f"{base}/licence/{licence.code}"
    if is_given:
        found["distribution"] = [_download(way, contract, base) for way in ways_of(contract) if way.kind == FILE]
    return found


def as_data_block(value: Mapping[str, Any]) -> str:
    """JSON that can stand in a page: nothing in it ends the block or begins another."""
    text = json.dumps(value, ensure_ascii=False)
    return (
        text.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _download(way: Way, contract: Contract, base: str) -> dict[str, str]:
    return {"@type": "DataDownload", "name": way.title_vi, "encodingFormat": way.media_type, "contentUrl": base + way.path(contract)}


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> None:
    node = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    if text:
        node.text = text
