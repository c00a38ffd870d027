"""A mapping between landing and cleaning: what came is kept, what cannot be made waits, a new mapping needs no new delivery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lienthong.catalog.lineage import columns_of
from lienthong.contracts import Contract, Delivery
from lienthong.contracts.mapping import read_mapping
from lienthong.errors import RunError, SourceError
from lienthong.pipeline import Workshop, correct_row, list_quarantine, run_again, run_dataset
from lienthong.pipeline.submit import submit_records
from lienthong.pipeline.withdrawing import withdraw
from lienthong.store import landing
from tests.factories import make_contract, make_property, make_workshop

HEAD = "Mã;Họ và tên đệm;Tên;Ngày;Tháng;Năm;Diện tích (ha);Xã\n"
ROWS = HEAD + "1;Nguyễn Văn;An;7;3;1980;1,25;Lộc Ninh\n2;Trần Thị;Bình;;;;hai;Lộc Ninh\n3;Lê;Chi;31;2;1990;0,5;Đâu đó\n"


def of_units(path: Path) -> Contract:
    path.write_text("ma,ten\n25270,Lộc Ninh\n", "utf-8")
    properties = (make_property("ma", required=True, key_position=1), make_property("ten"))
    return make_contract(str(path), id="test.units", properties=properties)


def of_parcels(path: Path, name: str = 'join(" ", [Họ và tên đệm], [Tên])', **more: Any) -> Contract:
    mapped = {
        "full_name": name,
        "born_on": 'join("/", [Ngày], [Tháng], [Năm])',
        "area": 'convert([Diện tích (ha)], "ha", "m2")',
        "commune": 'lookup([Xã], "test.units", "ten", "ma")',
        "year": '"2026"',
    }
    kinds = {"born_on": "date", "area": "number", "year": "integer"}
    properties = [make_property("code", required=True, key_position=1, source_names=("Mã",))]
    properties += [make_property(each, kinds.get(each, "string"), mapping=read_mapping(text)) for each, text in mapped.items()]
    return make_contract(str(path), id="test.parcels", properties=properties, **more)


@pytest.fixture
def workshop(database_url: str, tmp_path: Path) -> Workshop:
    (tmp_path / "parcels.csv").write_text(ROWS, "utf-8")
    workshop = make_workshop(database_url, of_units(tmp_path / "units.csv"), of_parcels(tmp_path / "parcels.csv"))
    run_dataset(workshop, workshop.contracts["test.units"])
    return workshop


def current(workshop: Workshop) -> list[tuple[Any, ...]]:
    with workshop.database.connect() as connection:
        return connection.execute(
            "select _key, full_name, born_on::text, area, commune, year from data.test_parcels order by _key"
        ).fetchall()


def changed(workshop: Workshop, contract: Contract) -> Workshop:
    return replace(workshop, contracts={**workshop.contracts, contract.id: contract})


def test_fields_are_made_and_what_came_is_kept(workshop: Workshop) -> None:
    outcome = run_dataset(workshop, workshop.contracts["test.parcels"])
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_quarantined) == (3, 1, 2)
    assert current(workshop) == [("1", "Nguyễn Văn An", "1980-03-07", 12500.0, "25270", 2026)]
    with workshop.database.connect() as connection:
        table = next(landing.batches(connection, outcome.run_id)).table
    assert table.column_names == ["Mã", "Họ và tên đệm", "Tên", "Ngày", "Tháng", "Năm", "Diện tích (ha)", "Xã"]
    issues = [
        (item.source_row, i["column"], i["code"], i["found"]) for item in list_quarantine(workshop, "test.parcels") for i in item.issues
    ]
    assert issues == [
        (3, "area", "mapping.number", "hai"),
        (4, "born_on", "date.impossible", "31/2/1990"),
        (4, "commune", "mapping.not_found", "Đâu đó"),
    ]


def test_a_row_is_put_right_by_the_cell_or_by_the_field_and_stays_right(workshop: Workshop, tmp_path: Path) -> None:
    contract = workshop.contracts["test.parcels"]
    run_dataset(workshop, contract)
    second, third = list_quarantine(workshop, "test.parcels")
    assert correct_row(workshop, second.item_id, {"Diện tích (ha)": "2"}, official="o").item.state == "released"
    assert correct_row(workshop, third.item_id, {"Ngày": "28", "commune": "25999"}, official="o").item.state == "released"
    right = [("2", "Trần Thị Bình", None, 20000.0, "25270", 2026), ("3", "Lê Chi", "1990-02-28", 5000.0, "25999", 2026)]
    assert current(workshop)[1:] == right
    (tmp_path / "parcels.csv").write_text(ROWS + "4;Võ;Dũng;1;1;2000;3;Lộc Ninh\n", "utf-8")
    assert run_dataset(workshop, contract).rows_quarantined == 0
    assert current(workshop)[1:3] == right


def test_a_new_mapping_is_applied_to_what_landed(workshop: Workshop, tmp_path: Path) -> None:
    run_dataset(workshop, workshop.contracts["test.parcels"])
    (tmp_path / "parcels.csv").unlink()
    new = of_parcels(tmp_path / "parcels.csv", 'upper(join(" ", [Họ và tên đệm], [Tên]))')
    outcome = run_again(changed(workshop, new), new)
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_quarantined, outcome.rows_ended) == (3, 1, 2, 0)
    assert [row[1] for row in current(workshop)] == ["NGUYỄN VĂN AN"]
    again = run_again(changed(workshop, new), new)
    assert (again.state, again.rows_unchanged) == ("unchanged", 1)


def test_a_code_list_that_grew_lets_waiting_rows_through(workshop: Workshop, tmp_path: Path) -> None:
    contract = workshop.contracts["test.parcels"]
    (tmp_path / "parcels.csv").write_text(HEAD + "3;Lê;Chi;1;2;1990;0,5;Đâu đó\n", "utf-8")
    assert run_dataset(workshop, contract).rows_quarantined == 1
    (tmp_path / "units.csv").write_text("ma,ten\n25270,Lộc Ninh\n25999,Đâu Đó\n", "utf-8")
    run_dataset(workshop, workshop.contracts["test.units"])
    assert run_again(workshop, contract).rows_published == 1
    assert current(workshop)[0][4] == "25999"
    assert list_quarantine(workshop, "test.parcels") == []


def test_records_that_are_sent_come_ready(workshop: Workshop) -> None:
    record = {"code": "9", "full_name": "Lê Thị Em", "born_on": "2000-01-02", "area": "10", "commune": "25270", "year": "2025"}
    sent = submit_records(workshop, workshop.contracts["test.parcels"], [record], caller="VN/GOV/H10.02/x", idempotency_key="1")
    assert sent.verdicts[0]["fate"] == "published"
    assert current(workshop) == [("9", "Lê Thị Em", "2000-01-02", 10.0, "25270", 2025)]


def test_a_heading_the_mapping_needs_is_asked_for_by_name(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "parcels.csv").write_text("Mã;Họ đệm;Tên\n1;a;b\n", "utf-8")
    name = make_property("full_name", required=True, mapping=read_mapping('join(" ", [Họ và đệm], [Tên])'))
    contract = make_contract(
        str(tmp_path / "parcels.csv"), id="test.parcels", properties=[workshop.contracts["test.parcels"].properties[0], name]
    )
    with pytest.raises(SourceError, match=r"`Họ và đệm` \(nearest: `Họ đệm`\)"):
        run_dataset(workshop, contract)


@pytest.mark.parametrize("delivery", [Delivery.INCREMENTAL, Delivery.CHANGES])
def test_increments_are_judged_again_as_one_and_the_last_that_speaks_of_a_record_counts(
    workshop: Workshop, tmp_path: Path, delivery: Delivery
) -> None:
    """A withdrawn delivery says nothing any more; judging again twice changes nothing, and the next delivery is taken as ever."""

    def contract(name: str) -> Contract:
        return of_parcels(tmp_path / "giao-*.csv", name, delivery=delivery)

    before, after = contract('join(" ", [Họ và tên đệm], [Tên])'), contract('upper(join(" ", [Họ và tên đệm], [Tên]))')
    with pytest.raises(RunError):
        run_again(changed(workshop, before), before)
    for n, rows in enumerate(("1;Lê;An;1;2;1990;1;Lộc Ninh\n2;Lê;Bình;1;2;1990;1;Lộc Ninh\n", "1;Lê;Ân;1;2;1990;1;Lộc Ninh\n")):
        (tmp_path / f"giao-{n}.csv").write_text(HEAD + rows, "utf-8")
        assert run_dataset(changed(workshop, before), before).state == "published"
    (tmp_path / "giao-2.csv").write_text(HEAD + "2;Lê;Sai;1;2;1990;1;Lộc Ninh\n", "utf-8")
    wrong = run_dataset(changed(workshop, before), before)
    withdraw(changed(workshop, before), wrong.run_id, "o", "giao nhầm")
    outcome = run_again(changed(workshop, after), after)
    assert (outcome.state, outcome.rows_in, outcome.rows_published, outcome.rows_ended) == ("published", 3, 2, 0)
    assert [row[1] for row in current(workshop)] == ["LÊ ÂN", "LÊ BÌNH"]
    assert run_again(changed(workshop, after), after).state == "unchanged"
    (tmp_path / "giao-2.csv").unlink()
    (tmp_path / "giao-3.csv").write_text(HEAD + "3;Lê;Chi;1;2;1990;1;Lộc Ninh\n", "utf-8")
    assert run_dataset(changed(workshop, after), after).rows_published == 1
    assert run_again(changed(workshop, after), after).rows_in == 4


def test_the_catalogue_knows_of_which_columns_a_field_is_made(workshop: Workshop) -> None:
    steps = columns_of(workshop.contracts["test.parcels"], workshop.contracts)
    assert [(s.kind, s.other) for s in steps if s.column == "full_name"] == [("source", "Họ và tên đệm"), ("source", "Tên")]
    assert [(s.kind, s.name, s.other) for s in steps if s.column == "commune"] == [("list", "test.units", "ma"), ("source", "file", "Xã")]
