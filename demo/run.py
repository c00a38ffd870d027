"""`make demo`: the whole province from its agencies' own systems to an answering API, in the foreground. Ctrl-C stops all it started.

Everything it makes lies under LIENTHONG_HOME (`var`): database, keys, province, agreements, the card (`demo.json`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from demo import agreeing, copies, matching, offered, people, witness

if TYPE_CHECKING:
    from types import FrameType

    from lienthong.store.embedded import EmbeddedServer

ROOT = Path(__file__).parents[1]
SUBSYSTEM, PURPOSE, OFFICIAL = "VN/GOV/H10.12/tro-cap", "xet-tro-cap", "can-bo-mau"
DATASET = "population.persons"
SECONDS_BETWEEN_HOURS = 60.0
TOKEN_MINUTES = 24 * 60
SEED = 1
SECONDS_TO_STOP = 40  # a server gives answers under way ten seconds, and what works beside it ten more; both are quick on a quiet machine
SMALLEST = 800  # below this the contracts' own bounds would rightly hold the deliveries back
SERVICES_SECRET = "bi-mat-mau"  # noqa: S105 # of made-up agencies' services, on loopback
POPULATION_DATABASE = "cong_an_demo"


class DemoError(Exception):
    """Something the person at the terminal can mend, in words."""


@dataclass
class Demo:
    """What runs, and where. `stop` ends everything that was started, last first."""

    home: Path
    port: int
    scale: int
    models: Path = matching.MODELS
    is_embedded: bool = True
    children: list[subprocess.Popen[str]] = field(default_factory=list)
    keeper: int | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def child(self, *arguments: str, says_where: bool = False, **environment: str) -> subprocess.Popen[str]:
        """A process of our own that does not outlive us, even when we are killed."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE if says_where else None,
            text=True,
            process_group=0,  # Ctrl-C in a terminal reaches us alone: we stop the others in order
            preexec_fn=_die_with_parent,  # no thread runs while children are started
        )
        self.children.append(process)
        return process

    def stop(self) -> None:
        self.stopping.set()
        if self.keeper is not None:  # we are not killed: we stop in order ourselves
            os.kill(self.keeper, signal.SIGKILL)
            os.waitpid(self.keeper, 0)
            self.keeper = None
        for process in reversed(self.children):  # one after the other: the server has its witness until its last checkpoint
            process.terminate()
            try:
                process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()


class Stages:
    """How long each part of the start took, in seconds: where a slow start is looked for first."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def end(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name], self._since = round(now - self._since, 2), now


def _die_with_parent() -> None:
    """Linux tells the child when its parent is gone; elsewhere a killed demo leaves its helpers to be stopped by hand."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _deaf() -> None:
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)


def _stop_once(_: int, __: FrameType | None) -> None:
    """The first signal stops the demo; from then on it stops in order, however often it is told to."""
    _deaf()
    raise KeyboardInterrupt


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=int, default=20_000, help="persons in the province")
    arguments.add_argument(
        "--models",
        type=Path,
        default=matching.MODELS,
        help="matching models learnt from this very province before; what is missing is learnt",
    )
    given = arguments.parse_args()
    if given.scale < SMALLEST:
        print(f"SCALE: cần ít nhất {SMALLEST} người · at least {SMALLEST} persons.", file=sys.stderr)
        return 2
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _stop_once)  # SIGINT too: a shell starts background jobs with it ignored
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # a closed terminal; not under `nohup`
        signal.signal(signal.SIGHUP, _stop_once)
    home = Path(os.environ.get("LIENTHONG_HOME", "var")).absolute()
    demo = Demo(home, 8_000, given.scale, given.models)
    try:
        demo.port = _port(os.environ.get("LIENTHONG_PORT", "8000"))
        _run(demo)
    except KeyboardInterrupt:
        print("\nĐã dừng · stopped.", flush=True)
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        _deaf()
        demo.stop()
    return 0


def _run(demo: Demo) -> None:
    import psycopg

    from lienthong.errors import LienthongError
    from lienthong.store.words import said_of

    began = time.monotonic()
    _check_port(demo.port)
    try:
        demo.home.mkdir(parents=True, exist_ok=True)
        demo.is_embedded = not os.environ.get("LIENTHONG_DATABASE_URL")
        os.environ.update(_environment(demo))
        _witness(demo)
        server = _serve_what_is_there(demo)
        url = os.environ["LIENTHONG_DATABASE_URL"] = _database(demo)
        card = _fill(demo, url, server)
    except OSError as error:
        raise DemoError(
            f"{error.filename or demo.home}: {error.strerror}. Kiểm tra chỗ trống và quyền ghi · check free space and permissions."
        ) from error
    except LienthongError as error:
        vi = " ".join(str(error.facts[name]) for name in ("vi", "hint_vi") if error.facts.get(name))
        raise DemoError(f"{vi}\n{error}".strip()) from error
    except psycopg.Error as error:
        raise DemoError("\n".join(said_of(error))) from error
    card["seconds_to_ready"] = round(time.monotonic() - began, 1)
    _write_card(demo.home / "demo.json", card)
    _print_card(card)
    _keep_going(demo)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise DemoError(f"PORT: cần một số từ 1 đến 65535, đang là `{text}` · expected a number from 1 to 65535, found `{text}`.")
    return int(text)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise DemoError(
                f"Tài khoản này không được dùng cổng {port}. Chọn cổng từ 1024: make demo PORT=8000\n"
                f"This account may not use port {port}. Choose one from 1024 on: make demo PORT=8000"
            ) from error
        except OSError as error:
            raise DemoError(
                f"Cổng {port} đang bận: một chương trình khác đang dùng (có thể là một lần `make demo` khác). Chọn cổng khác: make demo PORT={port + 1}\n"
                f"Port {port} is taken by another program (perhaps another `make demo`). Choose another: make demo PORT={port + 1}"
            ) from error


def _database(demo: Demo) -> str:
    from lienthong.store.embedded import EmbeddedServer

    if not demo.is_embedded:
        return os.environ["LIENTHONG_DATABASE_URL"]
    server = EmbeddedServer(demo.home)
    url = server.start()
    demo.keeper = _keep(server)
    return url


def _keep(server: EmbeddedServer) -> int | None:
    """A process that waits for our end and then stops PostgreSQL in order, should we be killed without warning (on Linux)."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    _die_with_parent()
    if os.getppid() == parent:
        signal.sigwait({signal.SIGTERM})
    for _ in range(20):  # the others who use it are going meanwhile
        time.sleep(0.5)
        server.stop()
        if server.process_id is None:
            break
        server.start()
    os._exit(0)


def _environment(demo: Demo) -> dict[str, str]:
    """The settings every process of the demo shares."""
    return {
        "LIENTHONG_HOME": str(demo.home),
        "LIENTHONG_PORT": str(demo.port),
        "LIENTHONG_DATASETS": str(ROOT / "datasets"),
        "LIENTHONG_INDICATORS": str(ROOT / "indicators"),
        "LIENTHONG_AGREEMENTS": str(demo.home / "agreements"),
        "LIENTHONG_REGULATIONS": str(ROOT / "demo" / "regulations"),
        "LIENTHONG_MODELS": str(demo.home / "models"),
        "LIENTHONG_ACCEPT_SYNTHETIC_IDS": "true",
        "LIENTHONG_TOKEN_MINUTES": str(TOKEN_MINUTES),
        **people.settings_of(demo.home, demo.base_url),
        "LIENTHONG_LOG_LEVEL": os.environ.get("LIENTHONG_LOG_LEVEL", "WARNING"),
        "LIENTHONG_BORDERS": str(ROOT / "demo" / "data" / "commune_borders.geojson.gz"),
        "LIENTHONG_SOURCE_DEMO": str(_province(demo)),
        **offered.environment(SERVICES_SECRET),
        **copies.environment(demo.home),
    }


def _witness(demo: Demo) -> None:
    """Another agency's process, which co-signs the ledger's checkpoints and remembers them over starts."""
    said, port = witness.prepare(demo.home)
    os.environ["LIENTHONG_WITNESSES"] = said
    demo.child("-c", witness.SERVE, str(demo.home / "witness"), str(port))


def _province(demo: Demo) -> Path:
    return demo.home / "province" / f"{SEED}-{demo.scale}"


def _serve(demo: Demo) -> subprocess.Popen[str]:
    return demo.child("-c", "from lienthong.settings import read_settings; from lienthong.web.serve import serve; serve(read_settings())")


def _serve_what_is_there(demo: Demo) -> subprocess.Popen[str] | None:
    """What an earlier start loaded is served at once, before anything else is imported here; the sources are read again afterwards."""
    if not ((demo.home / "demo.json").exists() and (demo.home / "agreements").exists()):
        return None
    server = _serve(demo)
    try:
        _wait_for(demo, server)
    except DemoError:  # what is there does not fit this version: fill first
        demo.children.remove(server)
        server.kill()
        server.wait()
        return None
    return server


def _fill(demo: Demo, url: str, server: subprocess.Popen[str] | None) -> dict[str, Any]:
    """Make the province where there is none, take all its sources in, and serve. Gives the card."""
    from lienthong.cli.words import Bar, err
    from lienthong.log import configure_logging
    from lienthong.pipeline import apply_contract, reading_order, run_dataset
    from lienthong.pipeline.agreeing import rules_of
    from lienthong.settings import read_settings
    from lienthong.store import Database
    from lienthong.web.services import make_workshop

    configure_logging(read_settings().log_level)
    stages = Stages()
    out = _province(demo)
    _make_province(demo, out)
    stages.end("province")
    private = _agreements(demo)
    os.environ["LIENTHONG_SOURCE_DEMO_POPULATION_URL"] = os.environ["LIENTHONG_SOURCE_DEMO_OFFICIALS_URL"] = _agencies_database(
        demo, url, out
    )
    _services(demo, out)
    database = Database(url)
    database.apply_schema()
    place = make_workshop(read_settings(), database)
    for contract in place.contracts.values():
        apply_contract(place, contract)
    datasets = []
    stages.end("schema")
    err.print("Nạp dữ liệu từ hệ thống của các cơ quan · taking in the agencies' data")
    with Bar() as on_progress:
        for name in reading_order(place.contracts):
            contract = place.contracts[name]
            for source in contract.sources:
                outcome = run_dataset(place, contract, source.name, on_progress=on_progress)
                datasets.append(_line(contract, source, outcome))
    stages.end("loading")
    people.write_accounts(demo.home, demo.base_url, people.citizen_number(database))
    entities = matching.match(place, demo.scale, SEED, demo.models)
    stages.end("matching")
    persons = people.seed(place, demo.base_url)
    stages.end("people")
    offered.publish(place)
    kept = copies.keep(place, demo.home, url)
    stages.end("copies")
    if server is None:
        server = _serve(demo)
    _wait_for(demo, server)  # it has taken the folder of agreements over
    agreed = agreeing.seed(place, rules_of(read_settings()), read_settings().environment)
    stages.end("serving")
    card = _card(demo, database, private, datasets)
    reuse = _reuse(place)
    stages.end("card")
    return {
        **card,
        "stages": stages.seconds,
        "entities": entities,
        "reuse": reuse,
        "people": persons,
        "agreements": agreed,
        "syncs": kept,
    }


def _reuse(place: Any) -> dict[str, Any]:
    """How many of the values the agencies sent an authority already held: what need not have been typed again."""
    from lienthong.reports.reuse import reuse_report
    from lienthong.settings import read_settings

    speed = read_settings().typing_characters_per_minute
    with place.database.connect() as connection:
        total = reuse_report(connection, place.contracts, speed).total
    return {"held": total.held, "agree": total.agree, "disagree": total.disagree, "hours": round(total.hours(speed))}


def _line(contract: Any, source: Any, outcome: Any) -> dict[str, Any]:
    return {
        "id": contract.id,
        "title": contract.title_vi,
        "source": source.connector,
        "state": outcome.state,
        "rows_in": outcome.rows_in,
        "rows_published": outcome.rows_published,
        "rows_unchanged": outcome.rows_unchanged,
        "rows_quarantined": outcome.rows_quarantined,
        "seconds": outcome.seconds,
    }


def _make_province(demo: Demo, out: Path) -> None:
    from demo.province import VERSION, generate

    manifest = out / "truth" / "manifest.json"
    if manifest.exists() and json.loads(manifest.read_text("utf-8"))["version"] == VERSION:
        return
    print(f"Dựng tỉnh mẫu {demo.scale:,} người (dữ liệu giả định) · making the province", flush=True)
    fresh = out.with_name(out.name + ".part")
    generate(fresh, demo.scale, SEED)
    if out.exists():
        import shutil

        shutil.rmtree(out)
    fresh.rename(out)


def _agencies_database(demo: Demo, url: str, out: Path) -> str:
    """The police's and the home office's own database, filled once for each province."""
    import psycopg
    from psycopg import sql

    from demo.province import VERSION, load_officials, load_population

    name = f"{POPULATION_DATABASE}_{SEED}_{demo.scale}_v{VERSION}"
    own = _of_database(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None:
            return own
        connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name + "_part")))
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name + "_part")))
    load_population(_of_database(url, name + "_part"), out)
    load_officials(_of_database(url, name + "_part"), out)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(name + "_part"), sql.Identifier(name)))
    return own


def _of_database(url: str, name: str) -> str:
    """The same server's address of another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _services(demo: Demo, out: Path) -> None:
    """The agencies' services, in one process, where `offered.environment` said."""
    data = [out / "doanh-nghiep" / "doanh-nghiep.json", *sorted((out / "dich-vu").glob("*.json"))]
    process = demo.child("-m", "demo.province.agency_server", "--data", *map(str, data), "--port", str(offered.port()), says_where=True)
    assert process.stdout is not None
    if not process.stdout.readline().strip():
        raise DemoError("Dịch vụ mẫu của các cơ quan không chạy được · the agencies' sample services did not start.")


def _agreements(demo: Demo) -> dict[str, Any]:
    """The demo's agreements with keys of its own; gives the private key of the example's subsystem."""
    import yaml

    from lienthong.access import new_key_pair

    keys = demo.home / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    wanted: dict[str, Any] = {}
    for path in sorted((ROOT / "demo" / "agreements").rglob("*.yaml")):
        found = yaml.safe_load(path.read_text("utf-8"))
        if path.parent.name == "subsystems":
            private_file = keys / f"demo-{path.stem}.jwk"
            if not private_file.exists():
                with os.fdopen(os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    json.dump(new_key_pair()[0], file)
            private = json.loads(private_file.read_text("utf-8"))
            found["keys"] = [{"jwk": {name: value for name, value in private.items() if name != "d"}}]
            if found["identifier"] == SUBSYSTEM:
                wanted = private
        copy = demo.home / "agreements" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(yaml.safe_dump(found, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return wanted


def _wait_for(demo: Demo, server: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        if server.poll() is not None:
            raise DemoError("Máy chủ dừng ngay khi khởi động · the server stopped while starting.")
        with contextlib.suppress(OSError), urllib.request.urlopen(demo.base_url + "/health", timeout=2) as answer:  # noqa: S310 # ours
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise DemoError("Máy chủ không trả lời sau một phút · the server does not answer after a minute.")


def _card(demo: Demo, database: Any, private: dict[str, Any], datasets: list[dict[str, Any]]) -> dict[str, Any]:
    from lienthong.cli.tokens import fetch_token

    with database.connect() as connection:
        row = connection.execute("select _key from data.population_persons where phone is not null order by _key limit 1").fetchone()
    key = row[0] if row else "7000000001"
    token = fetch_token(SUBSYSTEM, private, demo.base_url)
    address = f"{demo.base_url}/v1/datasets/{DATASET}/records/{key}"
    headers = (f"Authorization: Bearer {token}", f"Lienthong-Purpose: {PURPOSE}", f"Lienthong-Official: {OFFICIAL}")
    asking = " ".join(["curl", "-s", *(f"-H {shlex.quote(header)}" for header in headers)])
    through = f"{demo.base_url}/v1/services/{offered.SERVICE}/doanh-nghiep?ten=TNHH&toi_da=1"
    lienthong = Path(sys.executable).with_name("lienthong")
    shown = lienthong.relative_to(Path.cwd()) if lienthong.is_relative_to(Path.cwd()) else lienthong
    settings = _write_environment(demo)
    is_usual = demo.is_embedded and demo.home == Path.cwd() / "var"
    before = "" if is_usual else f". {shlex.quote(_shown(settings))} && "
    return {
        "base_url": demo.base_url,
        "docs_url": demo.base_url + "/docs",
        "datasets": datasets,
        "example": {"curl": f"{asking} {shlex.quote(address)}", "expect": f'"key":"{key}"'},
        "service": {
            "curl": f"{asking} {shlex.quote(through)}",
            "expect": '"ma_so_thue"',
            "page": f"{demo.base_url}/services/{offered.SERVICE}",
        },
        "verify": f"{before}{shlex.quote(str(shown))} ledger verify",
        "watch": _watch(demo, f"{before}{shlex.quote(str(shown))}"),
        "environment": _shown(settings),
        "command": str(shown),
        "again": _again(demo),
    }


def _again(demo: Demo) -> str:
    """What starts this very demo again."""
    usual = {"SCALE": (demo.scale, 20_000), "PORT": (demo.port, 8_000)}
    return " ".join(["make demo", *(f"{name}={now}" for name, (now, default) in usual.items() if now != default)])


def _watch(demo: Demo, lienthong: str) -> str:
    """What an auditor elsewhere runs: the ledger must go on from what was seen, under the witness's signature."""
    key = witness.log_key(demo.home)
    signer = os.environ["LIENTHONG_WITNESSES"].partition("@")[0]
    kept = shlex.quote(_shown(demo.home / "checkpoint-seen.txt"))
    return f"{lienthong} ledger watch {demo.base_url} --key {shlex.quote(key)} --witness {shlex.quote(signer)} --needed 0 --kept {kept}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _write_environment(demo: Demo) -> Path:
    """The settings of the demo as a file for other terminals: `source var/demo.env`."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(os.environ.items()) if _is_shared(demo, name)]
    path = demo.home / "demo.env"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join([*lines, ""]))  # it holds the database's password: for this account's eyes
    return path


def _is_shared(demo: Demo, name: str) -> bool:
    """All settings, but not the address of the embedded database: a command finds or starts that by itself."""
    return name.startswith("LIENTHONG_") and not (demo.is_embedded and name == "LIENTHONG_DATABASE_URL")


def _write_card(path: Path, card: dict[str, Any]) -> None:
    fresh = path.with_suffix(".part")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(card, file, ensure_ascii=False, indent=1)  # it holds a token: for this account's eyes
    fresh.replace(path)


def _print_card(card: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from lienthong.cli.syncs import STATES

    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, 100)
    dataset = Column("Bộ dữ liệu\ndataset", no_wrap=True)
    table = Table(
        dataset,
        "Nguồn\nsource",
        "Nhận\nin",
        "Công bố\nkept",
        "Không đổi\nunchanged",
        "Chờ\nquarantined",
        "Giây\ns",
        box=None,
        header_style="bold",
    )
    for line in card["datasets"]:
        counts = (line["rows_in"], line["rows_published"], line["rows_unchanged"], line["rows_quarantined"])
        table.add_row(line["id"], line["source"], *(f"{n:,}".replace(",", ".") for n in counts), f"{line['seconds']:.2f}")
    console.print("\n[bold]Liên thông[/bold] · tỉnh mẫu đã sẵn sàng · the demo province is ready (dữ liệu mẫu · sample data)")
    console.print(f"[bold]Mở · open     {card['base_url']}/[/bold]\n")
    console.print(table)
    golden = Table("Bản ghi gốc\ngolden records", "Từ\nfrom", "Còn\nleft", "Chờ người\nwaiting", "Giây\ns", box=None, header_style="bold")
    for line in card["entities"]:
        shown = [f"{line[name]:,}".replace(",", ".") for name in ("records", "goldens", "waiting")]
        golden.add_row(f"master.{line['entity']}", *shown, f"{line['seconds']:.2f}")
    for line in card["datasets"]:
        if line["state"] == "waiting":
            console.print(f" {line['id']}: chờ người quyết định · waits for a person   ({card['command']} run list {line['id']})")
    console.print()
    console.print(golden)
    held, agree, hours = (f"{card['reuse'][name]:,}".replace(",", ".") for name in ("held", "agree", "hours"))
    console.print(
        f"\nĐã có sẵn nơi khác {held} giá trị, {agree} khớp: khỏi gõ lại {hours} giờ · values held already, agreeing, hours not typed again"
    )
    console.print(f"\nTài liệu      {card['docs_url']}\nAPI           {card['base_url']}/v1/datasets")
    console.print(f"Excel         {card['base_url']}/odata/v4/      (Data → Get Data → OData feed; Anonymous)")
    console.print(f"SDMX          {card['base_url']}/sdmx/2.1/dataflow")
    console.print("Thử · try it  (tra một người, theo thỏa thuận TT-001 · look a person up, under agreement TT-001)\n")
    print(card["example"]["curl"])
    console.print(f"\nGọi dịch vụ của cơ quan khác qua nền tảng · call another agency's service   {card['service']['page']}")
    print(card["service"]["curl"])
    console.print("\nBản sao được giữ bằng nhau · copies kept equal   (lienthong sync list)")
    for line in card["syncs"]:
        console.print(
            f"  {line['id']}   {line['dataset']} · {' · '.join(STATES[line['state']])} · {line['version']} {line['why']}".rstrip()
        )
    console.print(f"\nĐăng nhập (người mẫu, không có thật) · sign in (nobody is real)   {card['people'][0]['sign_in']}")
    for each in card["people"]:
        console.print(f"  {each['username']:<12} {each['password']}   {each['title']} {each['agency']} · {each['title_en']}")
    console.print(f"\nKiểm chứng · verify every answer   {card['verify']}")
    console.print(f"Theo dõi từ ngoài · watch it from outside   {card['watch']}")
    console.print(f"Lệnh khác · other commands   source {card['environment']}; {card['command']} --help")
    console.print(f"Dừng · stop    Ctrl-C          Chạy lại · start again    {card['again']}\n")


def _keep_going(demo: Demo) -> None:
    """Serve until stopped; now and then another hour of readings arrives and is taken in."""
    threading.Thread(target=_hours, args=(demo,), daemon=True).start()
    while not demo.stopping.wait(0.5):
        for process in demo.children:
            if process.poll() is not None:
                raise DemoError("Một tiến trình của bản mẫu đã dừng · a process of the demo stopped.")


def _hours(demo: Demo) -> None:
    from demo.province import write_hour
    from lienthong.errors import LienthongError
    from lienthong.pipeline import run_dataset
    from lienthong.settings import read_settings
    from lienthong.store import Database
    from lienthong.web.services import make_workshop

    out = _province(demo)
    for hour in _next_hours(out):
        if demo.stopping.wait(SECONDS_BETWEEN_HOURS):
            return
        write_hour(out, hour, SEED)
        with contextlib.suppress(LienthongError):  # the next hour takes in what this one could not
            place = make_workshop(read_settings(), Database(os.environ["LIENTHONG_DATABASE_URL"]))
            run_dataset(place, place.contracts["environment.readings"])


def _next_hours(out: Path) -> Iterator[Any]:
    from datetime import datetime, timedelta

    newest = max(path.stem for path in (out / "quan-trac").glob("qt-*.csv"))
    hour = datetime.strptime(newest, "qt-%Y%m%d-%H")
    while True:
        hour += timedelta(hours=1)
        yield hour


if __name__ == "__main__":
    sys.exit(main())
