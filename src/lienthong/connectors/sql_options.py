"""What a contract may say of a database as a source: table or query, key, cursor, limits; and where reading has come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from lienthong.connectors.addresses import leads_to, not_metadata
from lienthong.connectors.base import Position, ReadContext
from lienthong.connectors.options import Options
from lienthong.connectors.sql_checking import check_condition, check_query
from lienthong.connectors.variables import expand
from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError

SCHEMES = {
    "postgresql": "postgresql", "postgres": "postgresql", "mariadb": "mariadb", "mysql": "mariadb", "sqlserver": "sqlserver", "mssql": "sqlserver",
    "oracle": "oracle",
}  # fmt: skip
TLS = ("off", "required")


@dataclass(frozen=True)
class SqlOptions:
    """`table` is schema and name, empty where `query` is given. `cursor` is the column that grows with every change of a row, or empty."""

    kind: str
    url: str = field(repr=False)
    table: tuple[str, ...]
    query: str
    key: tuple[str, ...]
    columns: tuple[str, ...]  # empty: all
    where: str
    cursor: str
    overlap: float
    timeout_seconds: float
    tls: str
    ca: str

    @classmethod
    def take(cls, source: Source, context: ReadContext, kind: str = "") -> SqlOptions:
        """`kind` is given where the location does not tell it (a file)."""
        options = Options.of(source, context)
        url = expand(source.location, context.variables)
        kind = kind or SCHEMES.get(urlsplit(url).scheme, "")
        if not kind:
            raise SourceError(
                f"Nguồn/source `{source.name}`: expected a location postgresql://…, mariadb://…, mysql://…, sqlserver://… or oracle://…, found something else."
            )
        taken = cls(
            kind=kind,
            url=url,
            table=tuple(part for part in options.text("table").split(".") if part),
            query=options.text("query"),
            key=options.texts("key"),
            columns=options.texts("columns"),
            where=options.text("where"),
            cursor=options.text("cursor"),
            overlap=options.seconds("overlap", 300 if kind != "sqlite" else 0),
            timeout_seconds=options.seconds("timeout_seconds", 0),
            tls=options.choice("tls", TLS, "off"),
            ca=options.text("ca"),
        )
        options.close()
        return taken.checked(source, options)

    def checked(self, source: Source, options: Options) -> SqlOptions:
        parts = 1 if self.kind == "sqlite" else 2
        if bool(self.table) == bool(self.query) or (self.table and len(self.table) != parts):
            said = "name" if parts == 1 else "schema.table"
            raise SourceError(f"Option `table`: expected `{said}`, or a `query` in its place, found `{'.'.join(self.table)}`.")
        if not self.key:
            raise options.required("key")
        if self.cursor and (source.delivery is not Delivery.CHANGES or self.kind == "sqlite"):
            raise SourceError(
                f"Nguồn/source `{source.name}`: option `cursor` needs `delivery: changes`, and a server.",
                hint="A row that changes while a reading goes on comes twice: of two words on a record the last must count.",
            )
        if self.query:
            check_query(self.query, self.kind, f"Nguồn/source `{source.name}`, option `query`")
        if self.where:
            check_condition(self.where, self.kind, f"Nguồn/source `{source.name}`, option `where`")
        return self

    def check_hosts(self) -> None:
        """Raises HostileInputError where the location leads to an address that is never a database's."""
        parts = urlsplit(self.url)
        words = parse_qs(parts.query)
        named = [parts.netloc.rpartition("@")[2], *words.get("host", []), *words.get("hostaddr", [])]
        for host, _ in _hosts(",".join(named)):
            if host and not host.startswith("/"):  # a socket of this machine is a path
                not_metadata(host, 0)

    def addresses(self, port: int) -> tuple[str, int, list[str]]:
        """(host, port, the addresses its name leads to now): judged, and those to connect to, for a name may change its mind.

        Raises SourceError when it leads nowhere, HostileInputError when to what is never a database's.
        """
        place = urlsplit(self.url)
        host = place.hostname or "127.0.0.1"
        return host, place.port or port, leads_to(host, place.port or port)

    @property
    def named(self) -> str:
        return ".".join(self.table) or "query"

    @property
    def uri(self) -> str:
        """Where rows come from, without user and password."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{self.kind}://{parts.hostname or 'local'}{port}{parts.path}#{self.named}"

    @property
    def password(self) -> str:
        return unquote(urlsplit(self.url).password or "")


def pinned(url: str) -> str:
    """A location of PostgreSQL with the judged address beside each host: the one is connected to, the other is what its certificate must bear."""
    parts = urlsplit(url)
    words = parse_qs(parts.query, keep_blank_values=True)
    login, at, place = parts.netloc.rpartition("@")
    named = _hosts(",".join(words.pop("host", [place])))
    if "hostaddr" in words or any(not host or host.startswith("/") for host, _ in named):
        return url
    ports = ",".join(words.pop("port", [])).split(",")
    ports = ports * len(named) if len(ports) == 1 else ports
    told = [(host, address, port or own) for (host, port), own in zip(named, ports, strict=True) for address in leads_to(host, 0)]
    pairs = [(name, value) for name, values in words.items() for value in values]
    pairs += [(name, ",".join(each[n] for each in told)) for n, name in enumerate(("host", "hostaddr", "port"))]
    query = urlencode(pairs, safe=",:/", quote_via=quote)
    return f"{parts.scheme}://{login}{at}{parts.path}?{query}"  # put together by hand: `urlunsplit` leaves `//` out where no host stands


def _hosts(named: str) -> list[tuple[str, str]]:
    """(host, port or nothing) of a list with commas."""
    found = []
    for each in named.split(","):
        if each.startswith("["):
            host, _, rest = each[1:].partition("]")
            port = rest.removeprefix(":")
        else:
            host, _, port = (each, "", "") if each.count(":") > 1 else each.partition(":")
        found.append((unquote(host), port))
    return found


@dataclass(frozen=True)
class Reached:
    """Where a reading stands. `key`: the values of the order columns of the last row, None before the first row that has them all;
    `same`: how many rows at the end bear it. `since`: what the cursor had grown to as this reading began; `begins`: from where it reads.
    """

    row: int = 0
    key: tuple[str, ...] | None = None
    same: int = 0
    since: str | None = None
    begins: str | None = None

    def position(self) -> dict[str, Any]:
        place: dict[str, Any] = {"row": self.row, "key": None if self.key is None else list(self.key), "same": self.same}
        return place if self.since is None and self.begins is None else {**place, "since": self.since, "from": self.begins}

    @classmethod
    def of(cls, after: Position) -> Reached:
        key = after["key"]
        return cls(int(after["row"]), None if key is None else tuple(key), int(after["same"]), after.get("since"), after.get("from"))


def is_end(after: Position) -> bool:
    """Whether a position is the end of a reading by cursor: the next one begins from what the cursor had grown to."""
    return "key" not in after


def said(error: Exception, secrets: Mapping[str, str]) -> str:
    """The first line of what a driver says, without what is secret."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    for secret in secrets.values():
        text = text.replace(secret, "…") if secret else text
    return text[:500]
