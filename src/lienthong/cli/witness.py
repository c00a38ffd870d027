"""`lienthong witness …`: a small process of another agency that co-signs a ledger's checkpoints. It needs a folder, no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.words import out, say, show

app = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Thư mục của nhân chứng · the witness's folder")]


@app.command("init")
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="Tên nhân chứng, ví dụ so-noi-vu.tinh.gov.vn · the witness's name")],
    log: Annotated[list[str], typer.Option(help="Khóa của sổ (lienthong ledger key) · the key of a log")],
) -> None:
    """Tạo nhân chứng mới và in khóa công khai · make a witness and print its public key."""
    from lienthong.web.witness import Witness

    typer.echo(Witness.make(folder, name, log).cosigner.key.text)


@app.command("serve")
def serve(
    folder: Folder,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8010,
    follow: Annotated[str, typer.Option(help="Tự đến lấy điểm chốt ở địa chỉ này · fetch checkpoints from this address itself")] = "",
    every: Annotated[float, typer.Option(help="Giây giữa hai lần lấy · seconds between two looks")] = 5.0,
) -> None:
    """Ký xác nhận các điểm chốt nối tiếp nhau · co-sign checkpoints that continue each other (C2SP tlog-witness)."""
    from lienthong.log import configure_logging
    from lienthong.web.witness import Witness, serve_witness
    from lienthong.web.witness_following import follow_log

    configure_logging("INFO")
    witness = Witness(folder)
    if follow:
        follow_log(witness, follow, every)
    else:
        serve_witness(witness, host, port)


@app.command("status")
def status(folder: Folder) -> None:
    """Nhân chứng đã ký đến đâu · what the witness has signed."""
    from lienthong.web.witness import Witness

    witness = Witness(folder)
    out.print(f"{say('Khóa', 'Key')}: {witness.cosigner.key.text}", soft_wrap=True)
    rows = []
    for log in witness.logs:
        signed = witness.signed(log.name)
        rows.append((log.name, "–" if signed is None else signed.size, "" if signed is None else signed.root.hex()))
    show((("Sổ", "Log"), ("Đã ký đến", "Signed up to"), ("Gốc", "Root")), rows)
