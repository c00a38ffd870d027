"""`lienthong person …`: the first persons of a platform, who is registered, and accounts of the built-in provider."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lienthong.cli.opening import who as at_terminal
from lienthong.cli.opening import workshop
from lienthong.cli.words import out, say, show

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_people() -> None:
    """Những người đã đăng ký và vai trò · who is registered, in which roles."""
    from lienthong.store import people

    with workshop().database.connect() as connection:
        rows = [(p.handle, p.agency, p.name, ", ".join(sorted(p.roles))) for p in people.everybody(connection)]
    show((("bí danh", "handle"), ("cơ quan", "agency"), ("tên", "name"), ("vai trò", "roles")), rows)


@app.command("add")
def add(
    handle: Annotated[str, typer.Argument(help="Bí danh, không dùng tên hay số của người · no name, no number of a person")],
    agency: Annotated[str, typer.Option(help="H10.12")],
    issuer: Annotated[str, typer.Option(help="Nhà cung cấp định danh · the identity provider's issuer")],
    subject: Annotated[str, typer.Option(help="Tên ở nhà cung cấp đó (sub) · who they are there")],
    name: Annotated[str, typer.Option(help="Họ tên hiển thị · name to show")],
) -> None:
    """Đăng ký một người; chưa có vai trò nào · register a person, in no role yet."""
    from lienthong.access import SignedIn
    from lienthong.pipeline import granting

    granting.register_person(workshop(), granting.terminal(at_terminal()), handle, SignedIn(issuer, subject, name), agency)
    out.print(say(f"Đã đăng ký {handle}.", f"{handle} is registered."))


@app.command("first-operator")
def first_operator(handle: Annotated[str, typer.Argument(help="Bí danh · the handle")]) -> None:
    """Cấp vai trò vận hành cho một trong hai người đầu tiên; từ đó hai người cùng quyết định · one of the first two operators."""
    from lienthong.pipeline import granting

    granting.grant_first_operator(workshop(), handle, at_terminal())
    out.print(say(f"{handle} là người vận hành.", f"{handle} is an operator."))


@app.command("end")
def end(handle: Annotated[str, typer.Argument(help="Bí danh · the handle")]) -> None:
    """Người này đã rời đi: mọi vai trò kết thúc ngay · they have left: every role ends at once."""
    from lienthong.pipeline import granting

    granting.end_person(workshop(), granting.terminal(at_terminal()), handle)
    out.print(say(f"{handle} không còn vai trò nào.", f"{handle} holds no role any longer."))


@app.command("account")
def account(
    username: Annotated[str, typer.Argument(help="Tên đăng nhập ở nhà cung cấp mẫu · user name at the built-in provider")],
    name: Annotated[str, typer.Option(help="Họ tên · name")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, help="Mật khẩu · password")],
) -> None:
    """In một mục cho tệp tài khoản của nhà cung cấp mẫu · print an entry for the built-in provider's file of accounts."""
    from lienthong.web.accounts import hash_password

    out.print_json(json.dumps({"username": username, "password_hash": hash_password(password), "name": name}, ensure_ascii=False))
