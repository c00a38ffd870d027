"""The part of Solr's language that CKAN's clients send."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog import Index, items_of_contracts
from lienthong.errors import SearchNotUnderstood
from lienthong.store.publications import Publication
from lienthong.web.doors.ckan.listing import Packages
from lienthong.web.doors.ckan.searching import search
from lienthong.web.doors.ckan.solr import read_query, terms_of
from lienthong.web.doors.ckan.values import Parameters
from tests.factories import make_contract

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "text": f" {' '.join(terms_of('Đơn vị hành chính của tỉnh: xã, phường'))} ",
    "title": f" {' '.join(terms_of('Đơn vị hành chính'))} ",
    "name": ("admin-units_units",),
    "organization": ("h10_02",),
    "groups": ("reference",),
    "tags": ("code_list", "đơn vị"),
    "res_format": ("csv", "api"),
    "metadata_modified": datetime(2026, 6, 1, tzinfo=UTC),
    "num_resources": 4,
    "license_id": (),
}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "*:*",
        "hành chính",
        "hanh CHINH",
        '"hành chính của"',
        "hành AND xã",
        "nothing OR xã",
        "nothing || xã",
        "organization:h10_02",
        'organization:"h10_02"',
        "+organization:h10_02 -organization:h10_09",
        "-organization:h10_09",
        "NOT organization:h10_09",
        "!groups:land",
        "organization:(h10_01 OR h10_02)",
        "(groups:land OR groups:reference) AND tags:code_list",
        "tags:Đơn\\ vị",
        "title:hanh",
        'title:"đơn vị"',
        "name:admin*",
        "text:phu?ng",
        "name:*",
        "-license_id:*",
        "res_format:csv",
        "metadata_modified:[2026-01-01T00:00:00Z TO *]",
        "metadata_modified:[2026-06-01T00:00:00.000000Z TO 2026-06-01T00:00:00Z]",
        "metadata_modified:[* TO NOW]",
        "metadata_modified:[NOW-2MONTHS/DAY TO NOW+1DAY]",
        "metadata_modified:{2026-05-31 TO 2026-06-02}",
        "num_resources:[1 TO 4]",
        "num_resources:4",
        "title:hành^4 xã^0.5",
        "name:[admin TO b]",
        "((((xã))))",
    ],
)
def test_what_a_package_meets(query: str) -> None:
    assert read_query(query, NOW).test(DOCUMENT)


@pytest.mark.parametrize(
    "query",
    [
        "chính hành của nothing",
        '"chính hành"',
        "-organization:h10_02",
        "organization:h10",
        "hành AND NOT xã",
        "hành !xã",
        "title:xã",
        "name:units*",
        "license_id:*",
        "metadata_modified:[2026-06-02T00:00:00Z TO *]",
        "metadata_modified:{2026-06-01T00:00:00Z TO *]",
        "num_resources:[5 TO *]",
        "organization:(h10_01 OR h10_03)",
    ],
)
def test_what_it_does_not_meet(query: str) -> None:
    assert not read_query(query, NOW).test(DOCUMENT)


@pytest.mark.parametrize(
    "query",
    [
        "(", ")", "a)", "(a", "a AND", "OR a", "NOT", "-", "title:", "none:a", "name:[a b]", "name:[a TO b", "metadata_modified:[x TO *]",
        "metadata_modified:NOW-1EON", "num_resources:many", "a~2", '"a b"~3', "{!func}x", "title:(name:x)", "a" * 4_001, "a\x00",
        "title:[a TO b]", "text:*a*b*c*d*e*f*", "metadata_modified:[NOW+999999YEARS TO *]", "a ^b",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(query: str) -> None:
    with pytest.raises(SearchNotUnderstood, match="Search Query is invalid"):
        read_query(query, NOW)


@pytest.mark.parametrize(
    ("query", "words"), [("xã phường", "xã phường"), ("", ""), ("title:xã", None), ("xã OR phường", None), ("xã*", None)]
)
def test_plain_words_are_left_to_be_ranked(query: str, words: str | None) -> None:
    assert read_query(query, NOW).words == words


@given(st.text(st.sampled_from('ab:()[]{}"*?\\+-!^~ TOANDR|&0.Z'), max_size=60))
def test_any_query_is_answered_or_refused(query: str) -> None:
    with contextlib.suppress(SearchNotUnderstood):
        assert read_query(query, NOW).test(DOCUMENT) in (True, False)


SOME = [
    replace(make_contract(id=f"test.d{n:02}"), title_vi=f"Hộ nghèo {n % 4}", agency=f"H10.{n % 3:02}", domain="land" if n % 2 else "")
    for n in range(12)
]
FACTS = {each.id: Publication(1, NOW, NOW.replace(day=1 + n % 5), n) for n, each in enumerate(SOME)}


def owner(code: str) -> str:
    return f"Sở {code}"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("name asc", list(range(12))),
        ("name desc", list(range(12))[::-1]),
        ("title_string asc, name desc", sorted(range(12), key=lambda n: (n % 4, -n))),
        ("organization desc, metadata_modified asc", sorted(range(12), key=lambda n: (-(n % 3), n % 5, n))),
        ("score desc, metadata_modified desc", sorted(range(12), key=lambda n: (-(n % 5), n))),
        ("views_recent desc", list(range(12))),
    ],
)
def test_packages_come_in_the_order_asked_for_and_equal_ones_by_their_ids(text: str, places: list[int]) -> None:
    listed = Packages("http://x").of(SOME, FACTS, owner)
    found = search(Parameters({"sort": text, "rows": 100}), listed, Index(()), NOW, owner)
    assert [each["name"] for each in found["results"]] == [f"test_d{n:02}" for n in places]


def test_words_are_ranked_and_filters_and_facets_count_what_is_left() -> None:
    listed = Packages("http://x").of(SOME[3:], FACTS, owner)  # of another caller: the first three are not theirs
    index = Index(items_of_contracts(SOME, {}))
    sent = Parameters({"q": "ho ngheo 1", "fq": "-organization:h10_01", "facet.field": ["organization", "groups"], "facet.limit": 1})
    found = search(sent, listed, index, NOW, owner)
    assert [each["name"] for each in found["results"]] == ["test_d05", "test_d09"]
    assert found["facets"] == {"organization": {"h10_00": 1}, "groups": {"land": 2}}  # equal ones by name
    assert found["search_facets"]["organization"]["items"] == [{"name": "h10_00", "display_name": "Sở H10.00", "count": 1}]


def test_a_list_is_made_once_until_something_in_it_changes() -> None:
    packages = Packages("http://x")
    first = packages.of(SOME, FACTS, owner)
    assert packages.of(list(SOME), FACTS, owner) is first
    assert packages.of(SOME[1:], FACTS, owner) is not first
    assert packages.of(SOME, FACTS, owner) is first  # the other caller's list did not push it out
    renamed = packages.of(SOME, FACTS, lambda code: f"Cục {code}")
    assert renamed[0].package["author"] == "Cục H10.00"
    newer = packages.of(SOME, {**FACTS, "test.d00": Publication(2, NOW, NOW, 5)}, owner)
    assert {"key": "data_version", "value": "2"} in newer[0].package["extras"]
