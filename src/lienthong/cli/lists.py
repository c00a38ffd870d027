"""`lienthong match list`: an agency's own list, without duplicates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import workshop
from lienthong.cli.words import err, out, say, show
from lienthong.errors import NotFound, SettingsError

if TYPE_CHECKING:
    from lienthong.masterdata.entities import Entity
    from lienthong.masterdata.own_list import HeldRow
    from lienthong.pipeline import Workshop
    from lienthong.pipeline.listing import OwnList

MOST_ROWS = 1_000_000


def list_duplicates(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, Excel, DBF, JSON")],
    entity: Annotated[str, typer.Option(help="Ví dụ · such as person, household, enterprise, parcel")] = "person",
    out_file: Annotated[Path | None, typer.Option("--out", help="Tệp kết quả .xlsx hoặc .csv · the result")] = None,
    column: Annotated[list[str] | None, typer.Option(metavar="HEADING=ATTRIBUTE", help="Cột nào là gì; bỏ một cột: tên= · what a column is; HEADING= leaves it out")] = None,
    against_index: Annotated[bool, typer.Option("--against-index", help="Đối chiếu với bản ghi gốc · look the rows up in the index too")] = False,
) -> None:  # fmt: skip
    """Tìm dòng trùng trong danh sách của cơ quan · find what an agency's own list holds twice."""
    from lienthong.masterdata.headings import known_headings
    from lienthong.pipeline import list_index, listing, match_models
    from lienthong.pipeline.list_reading import read_list

    if out_file is not None and out_file.suffix.lower() not in (".xlsx", ".csv"):
        raise SettingsError(f"--out {out_file}: expected .xlsx or .csv.")
    place = workshop()
    found, stated = _entity(place, entity), _stated(column or [])
    with err.status(say("Đọc danh sách", "Reading the list")):
        given = read_list(file, lambda headings: known_headings(found, headings, stated), MOST_ROWS)
    with err.status(say("So các dòng", "Comparing rows")), place.database.connect() as connection:
        model = match_models.in_force(connection, found)
        own = listing.judge_own_list(found, given, model, stated, accept_synthetic=place.accept_synthetic_ids)
        held = list_index.look_up(connection, found, model, own.values) if against_index else None
    _tell(found, own, held)
    if out_file is not None:
        _write(out_file, found, own, held)
        out.print(say(f"Kết quả ở {out_file}", f"The result is in {out_file}"))


def _stated(columns: list[str]) -> dict[str, str]:
    wrong = [each for each in columns if "=" not in each]
    if wrong:
        raise SettingsError(f"--column {wrong[0]}: expected heading=attribute.")
    return {heading: attribute for heading, _, attribute in (each.rpartition("=") for each in columns)}


def _entity(place: Workshop, name: str) -> Entity:
    from lienthong.masterdata.entities import entities_of

    known = entities_of(place.contracts)
    if name not in known:
        raise NotFound(f"No master contract describes the entity `{name}`.", hint=f"Known: {', '.join(known) or 'none'}.")
    return known[name]


def _tell(entity: Entity, own: OwnList, held: list[HeldRow] | None) -> None:
    from lienthong.masterdata.own_list import MAYBE, SURE
    from lienthong.pipeline.listing import titles_of
    from lienthong.reports.list_file import how

    titles = titles_of(entity.master)
    rows = [
        (each.column, ", ".join(say(titles[name], name) for name in each.attributes) or "–", say(each.vietnamese, each.english))
        for each in own.meant
    ]
    show((("Cột", "Column"), ("Hiểu là", "Taken for"), ("Vì sao", "Why")), rows)
    for name, count in own.unread.items():
        out.print(
            say(
                f"{titles[name]}: {count} giá trị không đúng dạng, không dùng để so.",
                f"{name}: {count} values not of its form took no part.",
            )
        )
    if own.given.broken:
        out.print(say(f"{len(own.given.broken)} dòng không đọc được.", f"{len(own.given.broken)} rows cannot be read."))
    judged = own.judged
    out.print(say(f"So bằng: {how(judged.way)[0]}.", f"Judged by: {how(judged.way)[1]}."))
    out.print(
        say(
            f"{len(judged.rows):,} dòng là {judged.entities:,} đối tượng: {judged.count(SURE):,} dòng chắc chắn trùng, {judged.count(MAYBE):,} dòng có thể trùng.",
            f"{len(judged.rows):,} rows are {judged.entities:,} entities: {judged.count(SURE):,} rows are surely there twice, {judged.count(MAYBE):,} maybe.",
        )
    )
    if held is not None:
        sure, maybe = (sum(1 for each in held if each.verdict == verdict) for verdict in (SURE, MAYBE))
        out.print(say(f"Trong kho: đã có {sure:,}, có thể đã có {maybe:,}.", f"In the index: {sure:,} held, {maybe:,} maybe."))


def _write(path: Path, entity: Entity, own: OwnList, held: list[HeldRow] | None) -> None:
    from lienthong.pipeline.listing import titles_of
    from lienthong.reports.list_file import ListFile, as_csv, as_workbook

    broken = [(each.source_row, each.text) for each in own.given.broken]
    given = ListFile(own.given.frame, own.given.numbers, own.judged, own.meant, held, broken, titles_of(entity.master))
    if path.suffix.lower() == ".xlsx":
        path.write_bytes(as_workbook(given))
        return
    with path.open("wb") as stream:
        stream.writelines(as_csv(given))
