"""Which records are about one citizen: those their number is the key of, those that hold it, those judged to be the same person, golden ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from psycopg import sql

from lienthong.contracts import Contract, Layer, source_name
from lienthong.store.database import Connection, queries
from lienthong.store.tables import table_name

PERSON = "person"
NUMBER = "citizen_id"  # the standard, and the attribute of a person, that hold the number
MOST_RECORDS = 1_000

Record = tuple[str, str]  # dataset, key


def records_of(connection: Connection, contracts: Mapping[str, Contract], number: str) -> frozenset[Record]:
    """(dataset, key) of every record about a citizen, also of one that is asked for by the number and is not there."""
    held = list(_by_number(connection, contracts.values(), number))
    found = {(dataset, key) for dataset, key, _ in held}
    own = [(source, key) for _, key, sources in held for source in sources]
    values = {"sources": [source for source, _ in own], "keys": [key for _, key in own], "entity": PERSON}
    goldens = connection.execute(queries("citizens")["goldens"], values).fetchall()
    masters = [contract.id for contract in contracts.values() if contract.layer is Layer.MASTER and contract.entity == PERSON]
    ids = [golden for golden, _ in goldens]
    found |= {(master, id) for master in masters for _, id in goldens}
    for source, key in connection.execute(queries("citizens")["records"], {"goldens": ids, "limit": MOST_RECORDS}):
        found.add((str(source).partition("#")[0], key))
    return frozenset(record for record in found if record[0] in contracts)


def numbers_in(contract: Contract) -> tuple[str, ...]:
    """The properties that hold the number of the person a row is about (not of a relative, a head of household, an owner of something)."""
    keys = {p.name for p in contract.key if len(contract.key) == 1 and p.standard == NUMBER}
    return tuple(p.name for p in contract.properties if p.name in keys or _sources(contract, p.name))


def _sources(contract: Contract, name: str) -> tuple[str, ...]:
    """What the persons are called whose number a property holds: of a birth the mother's is `dataset#mother`, not the child's nor the father's."""
    roles = [role for role in contract.match if role.entity == PERSON and not role.by]
    return tuple(source_name(contract, role) for role in roles if name in role.attributes.get(NUMBER, ()))


def _by_number(connection: Connection, contracts: Iterable[Contract], number: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(dataset, key, under which names the record is of this very person) of each record that holds the number."""
    for contract in contracts:
        names = numbers_in(contract)
        if len(contract.key) == 1 and contract.key[0].name in names:
            yield contract.id, number, _sources(contract, contract.key[0].name)
            names = tuple(name for name in names if name != contract.key[0].name)
        if not names or not _has_table(connection, contract):
            continue
        for name in names:
            statement = sql.SQL("select _key from data.{} where {} = %(number)s limit %(limit)s").format(
                sql.Identifier(table_name(contract.id)), sql.Identifier(name)
            )
            for (key,) in connection.execute(statement, {"number": number, "limit": MOST_RECORDS}):
                yield contract.id, key, _sources(contract, name)


def index_numbers(connection: Connection, contract: Contract) -> None:
    """Find the records about a citizen without reading a register whole, where their number is no key."""
    keys = {p.name for p in contract.key} if len(contract.key) == 1 else set()
    for name in numbers_in(contract):
        if name not in keys and _has_table(connection, contract):
            index = sql.Identifier(f"{table_name(contract.id)}_{name}_number")
            statement = sql.SQL("create index if not exists {} on data.{} ({}) where {} is not null")
            field = sql.Identifier(name)
            connection.execute(statement.format(index, sql.Identifier(table_name(contract.id)), field, field))


def _has_table(connection: Connection, contract: Contract) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (f'data."{table_name(contract.id)}"',)).fetchone()
    return row is not None and bool(row[0])
