"""Sources that are servers, for the measure of flat memory: real ones as in the tests, and a service that makes pages of rows as it is asked.

Each is a context of its own, up while its rows are read. Of another Lienthong, OData, CKAN and SOAP only the form of the answers is real.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from pyarrow.fs import S3FileSystem

from bench.flat_office import parts
from bench.sources import sshd
from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.connectors.log_slot import LogOptions, make_slot
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Delivery, Source
from lienthong.store.embedded import EmbeddedServer
from tests.connectors.ftp.test_ftp import PASSWORD, ftpd
from tests.connectors.mail.test_mail import dovecot
from tests.connectors.postgresql_log.test_postgresql_log import logging_server
from tests.connectors.s3.test_s3 import BUCKET, KEYS
from tests.connectors.soap_service.test_soap_service import wsdl
from tests.connectors.sql_database.servers import maria_url
from tests.connectors.streams import test_mqtt, test_nats
from tests.doors.environments import python_of
from tests.servers import free_port, running

HERE = read_networks("127.0.0.0/8")
PAGE = 10_000  # rows of one answer
MESSAGE_ROWS = 100  # of one message of a stream
MAIL_ROWS = 1_000_000  # of one attachment
UNDER_WAY = 1_000  # messages published before the first of them is confirmed
ROW_FIELDS = {"ma": "ma", "ten": "ten", "xa": "xa"}
PG_ROWS = "select n as ma, 'Nguyễn Văn ' || n % 9000 as ten, n % 600 as xa from generate_series(1, {}) n"
MARIA_ROWS = "select seq as ma, concat('Nguyễn Văn ', seq % 9000) as ten, seq % 600 as xa from seq_1_to_{}"


@dataclass(frozen=True)
class Told:
    """What a reader is told of a source; `after`: where it begins. `told`: beside its measures."""

    connector: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict)
    delivery: str = Delivery.SNAPSHOT.value
    after: Mapping[str, Any] | None = None
    told: str = ""


Serving = Callable[[EmbeddedServer, Path, int], AbstractContextManager[Told]]


class _Pages(BaseHTTPRequestHandler):
    """`/<rows>?from=…`: rows, and where the next ones begin; others as OData, CKAN, another Lienthong and a SOAP service have it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # as the library has it
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path.startswith("/soap/"):
            base = f"http://{self.headers['Host']}"
            self._give(wsdl(base, address=f"{base}{place.path}"), "text/xml")
        elif place.path.startswith("/v1/"):
            self._give(_changes(int(place.path.split("/")[3]), int(asked.get("after", "0")), int(asked["limit"])))
        elif "resource_id" in asked:
            rows, first = int(asked["resource_id"]), int(asked.get("offset", "0"))
            fields = '[{"id":"ma"},{"id":"ten"},{"id":"xa"}]'
            self._give(
                f'{{"success":true,"result":{{"total":{rows},"fields":{fields},"records":[{_items(first, min(first + PAGE, rows))}]}}}}'
            )
        else:
            rows, first = int(place.path.rsplit("/", 1)[1]), int(asked.get("from", "0"))
            last = min(first + PAGE, rows)
            is_odata = place.path.startswith("/odata/")
            link = f'"@odata.nextLink": "{rows}?from={last}"' if is_odata else f'"next": "{last}"'
            more = "" if last == rows else f", {link}"
            self._give(f'{{"{"value" if is_odata else "items"}": [{_items(first, last)}]{more}}}')

    def do_POST(self) -> None:  # as the library has it
        body = self.rfile.read(int(self.headers["Content-Length"]))
        rows, asked = int(self.path.rsplit("/", 1)[1]), re.findall(rb">(\d+)<", body)
        page, size = int(asked[0]), int(asked[1])
        people = "".join(
            f"<Nguoi><ma>{n:09d}</ma><ten>Nguyễn Văn {n % 9000}</ten><xa>{n % 600}</xa></Nguoi>"
            for n in range((page - 1) * size, min(page * size, rows))
        )
        self._give(
            f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><DanhSachTraLoi xmlns="urn:ht"><Tong>{rows}</Tong>{people}'
            "</DanhSachTraLoi></s:Body></s:Envelope>",
            "text/xml",
        )

    def _give(self, text: str, kind: str = "application/json") -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _row(n: int) -> str:
    return f'{{"ma":"{n:09d}","ten":"Nguyễn Văn {n % 9000}","xa":{n % 600}}}'


def _items(first: int, last: int) -> str:
    return ",".join(map(_row, range(first, last)))


def _csv(first: int, last: int) -> bytes:
    return "".join(f"{n:09d},Nguyễn Văn {n % 9000},{n % 600}\n" for n in range(first, last)).encode()


def _changes(rows: int, after: int, limit: int) -> str:
    last = min(after + limit, rows)
    changes = ",".join(f'{{"op":"put","key":"{n:09d}","record":{{"key":"{n:09d}","values":{_row(n)}}}}}' for n in range(after, last))
    return f'{{"changes":[{changes}],"next":"{last}","more":{"true" if last < rows else "false"}}}'


@contextmanager
def _service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _served(tell: Callable[[str, int], Told]) -> Serving:
    @contextmanager
    def serve(_server: EmbeddedServer, _folder: Path, rows: int) -> Iterator[Told]:
        with _service() as address:
            yield tell(address, rows)

    return serve


@contextmanager
def postgresql(server: EmbeddedServer, _folder: Path, rows: int) -> Iterator[Told]:
    yield Told("sql_database", server.create_database(f"flat_{rows}"), {"query": PG_ROWS.format(rows), "key": ["ma"]})


@contextmanager
def mariadb(_server: EmbeddedServer, _folder: Path, rows: int) -> Iterator[Told]:
    with maria_url() as url:
        yield Told("sql_database", url, {"query": MARIA_ROWS.format(rows), "key": ["ma"]})


@contextmanager
def postgresql_log(_server: EmbeddedServer, _folder: Path, rows: int) -> Iterator[Told]:
    """Rows that came after the whole table, empty, was read: all in one transaction."""
    with logging_server() as server:
        url = server.create_database("so")
        options = {"table": "ht.nguoi", "key": ["ma"]}
        source = Source("file", "postgresql_log", url, Delivery.CHANGES, options)
        with psycopg.connect(url, autocommit=True) as agency:
            agency.execute("create schema ht")
            agency.execute("create table ht.nguoi (ma bigint primary key, ten text, xa integer)")
            agency.execute("create publication lienthong_ht_nguoi for table ht.nguoi")
            make_slot(LogOptions.take(source, ReadContext()))
            after = [batch.position for batch in connectors.read(source, ReadContext(networks=HERE))][-1]
            agency.execute(f"insert into ht.nguoi {PG_ROWS.format(rows)}".encode())
        yield Told("postgresql_log", url, options, Delivery.CHANGES.value, after, "one transaction")


@contextmanager
def sftp(_server: EmbeddedServer, folder: Path, rows: int) -> Iterator[Told]:
    with _one_csv(folder, rows) as path, sshd(path.parent / "sshd") as ssh:
        yield Told("csv_file", f"{ssh.url}{path}", {"folder": {"host_key": ssh.host_key, "key_file": str(ssh.key_file)}})


@contextmanager
def ftp(_server: EmbeddedServer, folder: Path, rows: int) -> Iterator[Told]:
    port = free_port()
    with _one_csv(folder, rows) as path, ftpd(path.parent, port):
        yield Told("csv_file", f"ftp://can-bo@127.0.0.1:{port}/{path.name}", {"folder": PASSWORD})


@contextmanager
def s3(_server: EmbeddedServer, folder: Path, rows: int) -> Iterator[Told]:
    port = free_port()
    program = python_of("moto", Path(test_nats.__file__).parents[1] / "s3").parent / "moto_server"
    with _one_csv(folder, rows) as path, running([str(program), "-H", "127.0.0.1", "-p", str(port)], port):
        httpx.put(f"http://127.0.0.1:{port}/{BUCKET}", trust_env=False)
        files = S3FileSystem(**KEYS, endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1")
        with path.open("rb") as here, files.open_output_stream(f"{BUCKET}/a.csv") as there:
            while piece := here.read(1 << 24):
                there.write(piece)
        yield Told("csv_file", f"s3://{BUCKET}/a.csv", {"folder": {**KEYS, "endpoint": f"http://127.0.0.1:{port}"}})


@contextmanager
def _one_csv(folder: Path, rows: int) -> Iterator[Path]:
    place = folder / f"flat-{rows}"
    place.mkdir()
    path = place / "a.csv"
    with path.open("wb") as stream:
        stream.write(b"ma,ten,xa\n")
        for part in parts(rows):
            stream.write(_csv(part.start, part.stop))
    try:
        yield path
    finally:
        subprocess.run(["rm", "-r", str(place)], check=True)


@contextmanager
def mail(_server: EmbeddedServer, _folder: Path, rows: int) -> Iterator[Told]:
    with dovecot() as box:
        for number, first in enumerate(range(0, rows, MAIL_ROWS)):
            box.send("INBOX", (f"{number}.csv", b"ma,ten,xa\n" + _csv(first, min(first + MAIL_ROWS, rows))))
        source = box.source()
        yield Told(source.connector, source.location, source.options, told=f"messages of {MAIL_ROWS:,} rows")


@contextmanager
def mqtt_messages(_server: EmbeddedServer, folder: Path, rows: int) -> Iterator[Told]:
    place = folder / f"mqtt-{rows}"
    place.mkdir()
    broker = test_mqtt.make_broker(place)
    with broker.up():
        source = broker.source("flat", fields=ROW_FIELDS)
        for _ in connectors.read(source, ReadContext(networks=HERE)):
            pass  # the session begins; from now on the broker keeps what comes
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.username_pw_set("tram", "mat-khau")
        client.tls_set(str(broker.made.ca))
        client.max_inflight_messages_set(UNDER_WAY)
        client.connect("localhost", broker.port)
        client.loop_start()
        waiting: list[mqtt.MQTTMessageInfo] = []
        for message in _messages(rows):
            waiting.append(client.publish("flat/T1/số-liệu", message, qos=1))
            if len(waiting) == UNDER_WAY:
                waiting[-1].wait_for_publish(120)
                waiting.clear()
        for each in waiting:
            each.wait_for_publish(120)
        client.disconnect()
        client.loop_stop()
        yield Told(source.connector, source.location, source.options, source.delivery.value, told=f"messages of {MESSAGE_ROWS} rows")


@contextmanager
def nats_messages(_server: EmbeddedServer, folder: Path, rows: int) -> Iterator[Told]:
    place = folder / f"nats-{rows}"
    place.mkdir()
    server = test_nats.make_server(place)
    with server.up():
        server.make("flat")

        async def publish(js: Any) -> None:
            for number, message in enumerate(_messages(rows), 1):
                await js.publish_async("flat.a", message.encode())
                if number % UNDER_WAY == 0:
                    await js.publish_async_completed()
            await js.publish_async_completed()

        server.ask(publish)
        source = server.source("flat", fields=ROW_FIELDS)
        yield Told(source.connector, source.location, source.options, source.delivery.value, told=f"messages of {MESSAGE_ROWS} rows")


def _messages(rows: int) -> Iterator[str]:
    return (f"[{_items(first, min(first + MESSAGE_ROWS, rows))}]" for first in range(0, rows, MESSAGE_ROWS))


def _soap(address: str, rows: int) -> Told:
    paging = {"kind": "page", "size": PAGE, "page_parameter": "trang.so", "size_parameter": "trang.dong", "total": "DanhSachTraLoi/Tong"}
    options = {"operation": "DanhSach", "parameters": {"tuNgay": "2026-01-01"}, "row": "Nguoi", "fields": ROW_FIELDS, "paging": paging}
    return Told("soap", f"{address}/soap/{rows}", options)


PAGED = {"items": "items", "paging": {"kind": "cursor", "next": "next", "cursor_parameter": "from"}}
SERVERS: Mapping[str, Serving] = {
    "PostgreSQL": postgresql,
    "MariaDB": mariadb,
    "PostgreSQL log": postgresql_log,
    "HTTP in pages": _served(lambda address, rows: Told("http_json", f"{address}/{rows}", PAGED)),
    "CKAN": _served(lambda address, rows: Told("ckan", address, {"resource": str(rows)})),
    "OData": _served(lambda address, rows: Told("odata", f"{address}/odata/{rows}")),
    "SOAP": _served(_soap),
    "Another Lienthong": _served(
        lambda address, rows: Told("lienthong", address, {"dataset": str(rows), "key": ["ma"]}, Delivery.CHANGES.value)
    ),
    "CSV over SFTP": sftp,
    "CSV over FTP": ftp,
    "CSV over S3": s3,
    "CSV attached to mail": mail,
    "MQTT": mqtt_messages,
    "NATS": nats_messages,
}
