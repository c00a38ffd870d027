"""Databases filled once a process and copied for each test: filling takes seconds, a copy a tenth of one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from lienthong.pipeline import Workshop
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer
from tests.factories import TickingClock, contracts_of_the_province, make_workshop
from tests.made_once import made_once

if TYPE_CHECKING:
    from lienthong.masterdata.model import Model

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Template:
    """A database nobody is connected to, and the workshop that filled it."""

    server: EmbeddedServer
    name: str
    workshop: Workshop

    @contextmanager
    def copy(self) -> Iterator[Workshop]:
        """A workshop over a copy, with the same key and a clock that goes on from where filling ended."""
        with copied(self.server, self.name) as url:
            yield self.over(url)

    def over(self, url: str) -> Workshop:
        clock: Any = self.workshop.clock
        return replace(self.workshop, database=Database(url), clock=TickingClock(clock.now))


@contextmanager
def copied(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a database of one test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    try:
        yield server.create_database(name, template=template)
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def left_alone(server: EmbeddedServer, name: str) -> None:
    """End connections a workshop has kept to a database: one somebody is connected to cannot be copied."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = %s", (name,))


def of_datasets(server: EmbeddedServer, schema: str) -> Template:
    """Every contract of the province applied, no row yet."""
    url = server.create_database("datasets_template", template=schema)
    return Template(server, "datasets_template", make_workshop(url, *contracts_of_the_province().values()))


def of_matched(datasets: Template, factory: pytest.TempPathFactory) -> Template:
    """Two registers of 300 made-up persons taken in, a model learnt from them in force, everything matched once."""
    from lienthong.pipeline import match_all, match_models
    from tests.registers import person_entity, take_in

    name = "matched_template"
    place = datasets.over(datasets.server.create_database(name, template=datasets.name))
    take_in(place)
    entity = person_entity(place)
    model = learnt_once(place, factory, "model-of-two-registers")
    match_models.adopt(place, entity, model)
    match_all.match_all(place, entity, model)
    return Template(datasets.server, name, place)


def learnt_once(place: Workshop, factory: pytest.TempPathFactory, name: str) -> Model:
    """What the registers of a place teach, learnt once a run under this name: it takes ten seconds and more. Another place, another name."""
    from lienthong.masterdata.model import read_model, write_model
    from lienthong.pipeline import match_models
    from tests.registers import person_entity

    learnt = made_once(
        factory,
        name,
        lambda into: write_model(match_models.train_entity(place, person_entity(place)), into / "person.json"),
    )
    return read_model(learnt / "person.json")
