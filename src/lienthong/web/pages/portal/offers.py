"""Services of agencies that are called through the platform: what each does, whose it is, whether it takes calls now."""

from __future__ import annotations

from typing import Any

from lienthong.clock import vietnam_date
from lienthong.sharing.broker.book import Book
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit


def shown(site: Site, visit: Visit) -> Page:
    now = site.counter.clock()
    with site.counter.workshop.database.connect() as connection:
        book = Book.read(connection)
    told: list[dict[str, Any]] = []
    for id in book.services():
        offers = [each for each in book.versions(id) if each.is_in_use(vietnam_date(now))]
        if not offers:
            continue
        service, stop = offers[-1].service, book.stops.get(id)
        told.append(
            {
                "service": id,
                "title": service.title_vi,
                "title_en": service.title_en,
                "agency": service.agency,
                "agency_name": site.agency(service.agency),
                "versions": [each.service.version for each in offers],
                "address": f"/v1/services/{id}/{service.version}",
                "stops_at": stop.begins_at if stop else None,
                "restores_at": stop.restores_at if stop else None,
                "is_stopped": stop is not None and stop.begins_at <= now,
            }
        )
    columns = ("service", "title", "title_en", "agency", "address", "is_stopped")
    table = Table(columns, [[each[name] for name in columns] for each in told])
    return Page(
        "portal/services.html",
        visit.speech.t("offers.title"),
        {"services": told},
        table,
        {"base_url": site.counter.public_url},
        is_public=True,
    )
