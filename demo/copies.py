"""Two copies kept in step: a table in a database of the social office's own, and one current file in a folder of the land office."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

DATABASE = "tro_cap_demo"
SECRET = "demo-tro-cap.secret"  # noqa: S105 # the name of a file


def environment(home: Path) -> dict[str, str]:
    """Where definitions lie, and where the secret of the social office's database does."""
    return {"LIENTHONG_SYNCS": str(home / "syncs"), "LIENTHONG_SYNC_TRO_CAP_FILE": str(home / "keys" / SECRET)}


def keep(place: Any, home: Path, url: str) -> list[dict[str, Any]]:
    """Define both and bring them up to date; gives a line of the card for each. Harmless when it was done before."""
    from lienthong.cli.words import err
    from lienthong.errors import DatasetBusyError
    from lienthong.pipeline.agreeing import rules_of
    from lienthong.settings import read_settings
    from lienthong.sharing import syncing
    from lienthong.sharing.register import RegisterReader
    from lienthong.sharing.sync_definitions import load_syncs
    from lienthong.store import syncs as store
    from lienthong.web.register_watch import read_register, take_folder
    from lienthong.web.sync_round import office_of

    settings = read_settings()
    _define(home, url)
    take_folder(place, Path(settings.agreements), settings.environment)
    reader = RegisterReader(place.contracts, rules_of(settings).offices)
    office = office_of(settings, place, read_register(place, reader, settings.environment).register)
    lines = []
    for definition in load_syncs(Path(settings.syncs), place.contracts).values():
        with err.status(f"Đồng bộ · keeping a copy: {definition.id}"):
            try:
                state = syncing.work(office, definition)
            except DatasetBusyError:  # the server that was started before is at it
                with place.database.connect() as connection:
                    found = store.state(connection, definition.id)
                if found is None:
                    continue
                state = found
        lines.append(
            {"id": definition.id, "dataset": definition.dataset, "state": state.state, "version": state.version, "why": state.said_vi}
        )
    return lines


def _define(home: Path, url: str) -> None:
    import psycopg
    import yaml
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    place = urlsplit(url)
    user, _, host = place.netloc.rpartition("@")
    secret = home / "keys" / SECRET
    secret.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(place.password or "")
    location = urlunsplit(place._replace(netloc=f"{user.partition(':')[0]}@{host}", path=f"/{DATABASE}"))
    folder = home / "dat-dai"
    folder.mkdir(exist_ok=True)
    table = {
        "kind": "postgresql",
        "location": location,
        "table": "public.nguoi_dan",
        "columns": {"full_name": "ho_ten", "born_on": "ngay_sinh"},
    }
    if place.password:
        table["password"] = "${TRO_CAP}"  # noqa: S105 # the name of a variable
    definitions = [
        {
            "id": "nguoi-dan-cho-tro-cap", "title_vi": "Người dân, trong cơ sở dữ liệu trợ cấp", "title_en": "Persons, in the benefits database",
            "consumer": "VN/GOV/H10.12/tro-cap", "dataset": "population.persons", "purpose": "xet-tro-cap", "official": "can-bo-mau",
            "target": table,
        },
        {
            "id": "doanh-nghiep-cho-dat-dai", "title_vi": "Doanh nghiệp, tệp cho đất đai", "title_en": "Enterprises, a file for the land office",
            "consumer": "VN/GOV/H10.10/dat-dai", "dataset": "enterprises.register", "purpose": "dang-ky-dat-dai", "official": "can-bo-mau",
            "target": {"kind": "folder", "location": str(folder), "name": "doanh-nghiep", "format": "csv"},
        },
    ]  # fmt: skip
    (home / "syncs").mkdir(exist_ok=True)
    for definition in definitions:
        text = yaml.safe_dump(definition, allow_unicode=True, sort_keys=False)
        path = home / "syncs" / f"{definition['id']}.yaml"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")
