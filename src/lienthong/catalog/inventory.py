"""The inventory sheet out of the catalogue: what is connected, from its contract; what is known, as its agency said; row by row in the province's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lienthong.catalog.completeness import limitations
from lienthong.catalog.items import Item, Kind
from lienthong.catalog.measuring import promised_seconds
from lienthong.catalog.ways import ways_of
from lienthong.contracts import Contract
from lienthong.contracts.inventory import COLUMNS
from lienthong.store.catalogue import HeldItem

CONNECTED, NOT_CONNECTED = "Đã kết nối", "Chưa kết nối"
_SHARING = {"open": "Dữ liệu mở", "default": "Chia sẻ mặc định", "on_request": "Theo yêu cầu", "restricted": "Hạn chế"}
_UNITS = ((366 * 86400, "năm"), (30 * 86400, "tháng"), (7 * 86400, "tuần"), (86400, "ngày"), (3600, "giờ"), (60, "phút"))


def headings() -> tuple[str, ...]:
    return tuple(column.heading for column in COLUMNS)


def sheet(contracts: Iterable[Contract], held: Sequence[HeldItem], agencies: Mapping[str, str], agency: str = "") -> list[list[str]]:
    """The rows of the sheet, of one agency or (without a code) of all, in the order of agencies and names."""
    by_dataset = {str(item.facts["dataset"]): item for item in held if item.facts.get("dataset")}
    rows = [_of_contract(c, by_dataset.get(c.id), agencies) for c in contracts if agency in ("", c.agency)]
    rows += [_of_held(item, agencies) for item in held if agency in ("", item.agency) and not item.facts.get("dataset")]
    rows.sort(key=lambda row: (row["agency"], row["name"]))
    return [
        [row.get(column.word, "") if column.word != "number" else str(number) for column in COLUMNS] for number, row in enumerate(rows, 1)
    ]


def _of_contract(contract: Contract, item: HeldItem | None, agencies: Mapping[str, str]) -> dict[str, str]:
    seconds = promised_seconds(contract)
    said = dict(item.facts) if item is not None else {}
    return {
        **said,
        "id": contract.id,
        "name": contract.title_vi,
        "agency": contract.agency,
        "department": agencies.get(contract.agency, ""),
        "shares": contract.description_vi or contract.title_vi,
        "method": "; ".join(way.title_vi for way in ways_of(contract) if way.is_data),
        "frequency": "" if seconds is None else _every(seconds),
        "scope": _SHARING[contract.sharing.value],
        "details": limitations(contract),
        "connection": CONNECTED,
    }


def _of_held(item: HeldItem, agencies: Mapping[str, str]) -> dict[str, str]:
    return {**item.facts, "agency": item.agency, "department": agencies.get(item.agency, ""), "connection": NOT_CONNECTED}


def _every(seconds: int) -> str:
    size, word = next(((size, word) for size, word in _UNITS if seconds >= size), (60, "phút"))
    return f"{max(1, round(seconds / size))} {word} một lần"


def item_of_held(item: str, agency: str, facts: Mapping[str, str], owner: str) -> Item:
    """An entry of what is known and not connected."""
    return Item(
        kind=Kind.KNOWN,
        id=item,
        title_vi=facts.get("name", item),
        description_vi=facts.get("shares", "") or facts.get("details", ""),
        agency=agency,
        owner=owner,
        state="draft",
        words=tuple(facts.get(word, "") for word in ("unit", "scope", "details")),
        facts=dict(facts),
    )
