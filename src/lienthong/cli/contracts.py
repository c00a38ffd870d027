"""`lienthong contract …`: check, apply, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.opening import workshop
from lienthong.cli.words import out, say, show

app = typer.Typer(no_args_is_help=True)
Target = Annotated[Path, typer.Argument(help="Tệp hoặc thư mục hợp đồng · a contract file or a folder of them", exists=True)]


@app.command("check")
def check(path: Target) -> None:
    """Kiểm tra hợp đồng, nêu mọi lỗi cùng lúc · check contracts, every fault at once."""
    from lienthong.contracts import load, load_all

    found = load_all(path) if path.is_dir() else {str(path): load(path)}
    out.print(say(f"{len(found)} hợp đồng đúng.", f"{len(found)} contracts are right."))


@app.command("apply")
def apply(path: Target) -> None:
    """Tạo hoặc nâng cấp bảng; không bao giờ làm mất dữ liệu · create or migrate tables; never loses data."""
    from lienthong.contracts import load, load_all
    from lienthong.pipeline import apply_contract

    found = list(load_all(path).values()) if path.is_dir() else [load(path)]
    place = workshop()
    applied = [apply_contract(place, contract) for contract in found]
    show(
        (("Bộ dữ liệu", "Dataset"), ("Kết quả", "Outcome"), ("Cột thêm", "Added")),
        [(a.dataset_id, a.outcome, ", ".join(a.added)) for a in applied],
    )


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
