"""`lienthong synthetic …`: rows that keep a contract and are about nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say

if TYPE_CHECKING:
    import polars as pl

    from lienthong.contracts import Contract

app = typer.Typer(no_args_is_help=True)
MOST_ROWS = 1_000_000


@app.command("rows")
def rows(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    rows: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Số hàng · how many")] = 100,
    seed: Annotated[int, typer.Option(help="Cùng số này thì cùng hàng · the same number, the same rows")] = 1,
    to: Annotated[Path | None, typer.Option("--out", help="Tệp .csv hoặc .xlsx · file", dir_okay=False)] = None,
    profile: Annotated[Path | None, typer.Option(help="Hồ sơ thống kê · a profile", exists=True, dir_okay=False)] = None,
    faults: Annotated[int, typer.Option(min=0, help="Cố ý làm sai bao nhiêu hàng · spoil so many rows")] = 0,
) -> None:
    """Tạo hàng giả định đúng hợp đồng · invent rows that keep a contract."""
    from datetime import UTC, datetime

    from lienthong.clock import vietnam_date
    from lienthong.synthetic import Profile, invent, with_faults, written

    contract = _contract(dataset_id)
    known = Profile.read(json.loads(profile.read_text("utf-8"))) if profile is not None else None
    texts = written(invent(contract, rows, seed, vietnam_date(datetime.now(UTC)), profile=known), contract)
    if faults:
        texts, _ = with_faults(texts, contract, faults, seed)
    _write(texts, to)
    if to is not None:
        out.print(say(f"{texts.height} hàng giả định trong {to}.", f"{texts.height} invented rows in {to}."))


@app.command("profile")
def profile(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    to: Annotated[Path, typer.Option("--out", help="Tệp .json · file", dir_okay=False)],
) -> None:
    """Lấy hồ sơ thống kê của một bộ dữ liệu · take the profile of a published dataset."""
    from lienthong.pipeline.profiling import take_profile

    contract = _contract(dataset_id)
    found = take_profile(workshop(), contract, who())
    to.write_text(json.dumps(found.document(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    out.print(say(f"{len(found.columns)} cột, không có giá trị của ai.", f"{len(found.columns)} columns, nobody's values."))


def _contract(dataset_id: str) -> Contract:
    from lienthong.connectors import connector_names
    from lienthong.contracts import load_all
    from lienthong.errors import NotFound

    found = load_all(settings().datasets, connector_names()).get(dataset_id)
    if found is None:
        raise NotFound(f"There is no dataset `{dataset_id}`.", vi=f"Không có bộ dữ liệu `{dataset_id}`.")
    return found


def _write(texts: pl.DataFrame, to: Path | None) -> None:
    if to is None:
        typer.echo(texts.write_csv(), nl=False)
    elif to.suffix.lower() == ".xlsx":
        texts.write_excel(to, autofit=True)
    else:
        to.write_bytes(b"\xef\xbb\xbf" + texts.write_csv().encode())  # Excel reads UTF-8 by its mark alone
