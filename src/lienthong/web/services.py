"""What the server is made of, wired once at its start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from joserfc.jwk import OKPKey

from lienthong.access import SANDBOX, Register, Subsystem
from lienthong.clock import system_clock, vietnam_date
from lienthong.connectors import ReadContext, connector_names, source_variables
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Contract, LiveContracts, load_all
from lienthong.errors import SettingsError
from lienthong.pipeline import Workshop, noticing, units
from lienthong.pipeline.agreeing import AgreementRules, rules_of
from lienthong.settings import Settings
from lienthong.sharing.ledger_writer import LedgerWriter, Writer
from lienthong.sharing.quota import QuotaBook
from lienthong.sharing.register import RegisterReader
from lienthong.standards.admin_units import units_by_code
from lienthong.standards.working_days import read_working_days
from lienthong.store import Database, sandbox
from lienthong.store.hot import HotStore
from lienthong.web.caller_address import Addresses
from lienthong.web.holding import Holding
from lienthong.web.keys import ledger_signer, sealing_key, subject_key, token_key
from lienthong.web.register_watch import read_register, take_folder
from lienthong.web.rereading import Rereading
from lienthong.web.tokens import TokenDesk


@dataclass
class Services:
    """Everything a request may need. `ledger` can be exchanged before the server starts (only measurements do)."""

    settings: Settings
    workshop: Workshop
    register: Register
    store: HotStore
    quotas: QuotaBook
    ledger: Writer
    tokens: TokenDesk
    subject_key: bytes
    sealing_key: bytes
    rules: AgreementRules
    register_reader: RegisterReader
    addresses: Addresses
    register_edge: int  # the last change of agreements that `register` knows of
    practising: Mapping[str, Subsystem] = field(default_factory=dict)  # subsystems with their keys of the sandbox
    lost_keys: frozenset[str] = frozenset()  # no token got with them is taken
    reread: Rereading | None = None  # asked where a name is not known; there while the server runs
    contracts: Mapping[str, Contract] = field(init=False)

    def __post_init__(self) -> None:
        self.contracts = self.workshop.contracts


def read_context_of(settings: Settings) -> ReadContext:
    """What connectors may know under these settings."""
    return ReadContext(
        variables=source_variables(os.environ, settings.secrets),
        batch_rows=settings.batch_rows,
        spool=settings.home / "spool",
        networks=read_networks(settings.networks_of_sources, "LIENTHONG_NETWORKS_OF_SOURCES"),
    )


def make_workshop(settings: Settings, database: Database, contracts: Mapping[str, Contract] | None = None) -> Workshop:
    """The pipeline's workshop under these settings, with the contracts of `settings.datasets` unless they are given."""
    if settings.province and not any(unit.level == "province" for unit in units_by_code().get(settings.province, [])):
        raise SettingsError(f"LIENTHONG_PROVINCE: no province has the code `{settings.province}`.", hint="Such as `75`.")
    made = Workshop(
        database=database,
        contracts=LiveContracts(_in_force(load_all(settings.datasets, connector_names()) if contracts is None else contracts, database)),
        signer=ledger_signer(settings),
        read_context=read_context_of(settings),
        accept_synthetic_ids=settings.accept_synthetic_ids,
        province=settings.province,
        folder=settings.datasets,
        offices=read_working_days(Path(settings.holidays) if settings.holidays else None),
    )
    with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):  # a store that is not there yet knows of no change
        units.follow(made)
    return made


def _in_force(contracts: Mapping[str, Contract], database: Database) -> Mapping[str, Contract]:
    """The contracts of the folder, with both versions of those a notice runs for. A store that is not there yet knows of no notice."""
    try:
        with database.connect() as connection:
            return noticing.beside(contracts, connection, vietnam_date(system_clock()))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return contracts


def _refuse_wrong_side(settings: Settings, database: Database) -> None:
    """Production never serves a sandbox's database. Raises SettingsError."""
    if settings.environment == SANDBOX:
        return
    with database.connect() as connection:
        if sandbox.is_marked(connection):
            raise SettingsError("This database is a sandbox: production does not serve it.", hint="lienthong sandbox serve")


def make_services(settings: Settings, database: Database, contracts: Mapping[str, Contract] | None = None) -> Services:
    """Wire a server over an opened database. Raises ContractError and AgreementError with every fault."""
    _refuse_wrong_side(settings, database)
    workshop = make_workshop(settings, database, contracts)
    rules = rules_of(settings)
    reader = RegisterReader(workshop.contracts, rules.offices)
    take_folder(workshop, Path(settings.agreements), settings.environment)
    standing = read_register(workshop, reader, settings.environment)
    store = HotStore(database.url)
    key: OKPKey = token_key(settings)
    return Services(
        settings=settings,
        workshop=workshop,
        register=standing.register,
        store=store,
        quotas=QuotaBook(store),
        ledger=LedgerWriter(store, workshop.signer),
        tokens=TokenDesk(
            key, settings.public_url, settings.token_minutes, workshop.clock, Holding(settings, workshop.clock), settings.environment
        ),
        subject_key=subject_key(settings),
        sealing_key=sealing_key(settings),
        rules=rules,
        register_reader=reader,
        addresses=Addresses.of_setting(settings.trusted_proxies),
        register_edge=standing.edge,
        practising=standing.practising,
        lost_keys=standing.lost_keys,
    )
