"""Says what data exists, what it means, where it came from, and how to find it. It reads contracts; rows are none of its business."""

from lienthong.catalog.items import Item, Kind, item_of_contract, items_of_contracts
from lienthong.catalog.lineage import Lineage, Step, lineage_of
from lienthong.catalog.searching import Facet, Found, Index, Wanted
from lienthong.catalog.unit_search import UnitFound, find_named_units, place_in, unit_history
from lienthong.catalog.ways import WAYS, Way, ways_of

__all__ = [
    "WAYS",
    "Facet",
    "Found",
    "Index",
    "Item",
    "Kind",
    "Lineage",
    "Step",
    "UnitFound",
    "Wanted",
    "Way",
    "find_named_units",
    "item_of_contract",
    "items_of_contracts",
    "lineage_of",
    "place_in",
    "unit_history",
    "ways_of",
]
