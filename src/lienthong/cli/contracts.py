"""`lienthong contract …`: check, show, propose; what makes contracts stands in `contract_making`, what changes them in `contract_changing`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli import contract_changing, contract_making
from lienthong.cli.words import err, out, say, show

app = typer.Typer(no_args_is_help=True)
for command in (
    contract_making.new,
    contract_making.preview,
    contract_making.edit,
    contract_making.template,
    contract_changing.diff,
    contract_changing.plan,
    contract_changing.apply,
    contract_changing.withdraw_notice,
):
    app.command(command.__name__.replace("_", "-"))(command)
Target = Annotated[Path, typer.Argument(help="Tệp hoặc thư mục hợp đồng · a contract file or a folder of them", exists=True)]


@app.command("check")
def check(path: Target) -> None:
    """Kiểm tra hợp đồng, nêu mọi lỗi cùng lúc · check contracts, every fault at once."""
    from lienthong.connectors import connector_names
    from lienthong.contracts import load, load_all

    known = connector_names()
    found = load_all(path, known) if path.is_dir() else {str(path): load(path, known)}
    out.print(say(f"{len(found)} hợp đồng đúng.", f"{len(found)} contracts are right."))


@app.command("propose")
def propose(
    file: Annotated[Path, typer.Argument(help="Tệp Excel hoặc CSV · an Excel or CSV file", exists=True, dir_okay=False)],
    dataset: Annotated[str, typer.Option("--id", help="Mã bộ dữ liệu · id of the dataset, as land.holders")] = "",
    agency: Annotated[str, typer.Option(help="Mã cơ quan · code of the agency")] = "H10.00",
    title: Annotated[str, typer.Option(help="Tên tiếng Việt · title in Vietnamese")] = "",
    to: Annotated[Path | None, typer.Option("--out", help="Ghi vào tệp · write to a file")] = None,
) -> None:
    """Đề xuất hợp đồng từ một bảng tính, kèm bằng chứng · a contract proposed from a spreadsheet, with what speaks for it."""
    from lienthong.pipeline import drafting
    from lienthong.quality.drafting import document_of, machine_name

    named = title or file.stem
    made = drafting.propose_from(file, dataset or f"moi.{machine_name(named).replace('_', '-')}", agency, named)
    text = drafting.as_yaml(document_of(made))
    for column in made.columns:
        reasons = "; ".join(say(each.vi, each.en) for each in column.evidence)
        err.print(f"{column.heading} → {column.name or '–'} {column.type} {column.standard}: {reasons}", soft_wrap=True)
    if to is None:
        typer.echo(text)
    else:
        to.write_text(text, "utf-8")


@app.command("show")
def display(path: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Xem hợp đồng · show a contract."""
    from lienthong.contracts import load

    contract = load(path)
    out.print(f"{contract.id} {contract.version} · {say(contract.title_vi, contract.title_en)}")
    rows = [
        (p.name, say(p.title_vi, p.title_en), p.logical_type, p.standard, p.sensitivity.value, "✓" if p.required else "")
        for p in contract.properties
    ]
    show(
        (("Trường", "Field"), ("Tên", "Title"), ("Kiểu", "Type"), ("Chuẩn", "Standard"), ("Mức", "Sensitivity"), ("Bắt buộc", "Required")),
        rows,
    )
