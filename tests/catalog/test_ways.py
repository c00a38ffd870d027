"""The ways to get a dataset: one list for pages, entries and exports."""

from __future__ import annotations

from lienthong.catalog.ways import WAYS, ways_of
from lienthong.contracts import Sharing
from tests.factories import make_contract


def test_every_way_has_a_name_of_its_own_and_words_in_both_languages() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    assert all(way.title_vi and way.title_en and way.media_type and way.address.startswith("/") for way in WAYS)


def test_files_for_everybody_are_listed_of_open_data_alone() -> None:
    opened, closed = make_contract(id="test.open", sharing=Sharing.OPEN), make_contract(id="test.closed")
    assert {"csv", "xlsx", "parquet"} <= {way.name for way in ways_of(opened)}
    assert not {"csv", "xlsx", "parquet"} & {way.name for way in ways_of(closed)}
    assert {"json", "changes", "openapi"} <= {way.name for way in ways_of(closed)}


def test_an_address_names_the_dataset() -> None:
    contract = make_contract(id="test.open", sharing=Sharing.OPEN)
    assert [way.path(contract) for way in ways_of(contract) if way.name == "csv"] == ["/datasets/test.open/download/csv"]
