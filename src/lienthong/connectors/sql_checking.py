"""A query or a condition that a contract names: read as SQL of its database, and held to be one question that only reads.

The session is read-only as well where the database knows such; this is what is left for those that do not, and for functions that read
files, reach other servers or keep a server busy. Comments are refused, for MariaDB runs what stands in some of them.
"""

from __future__ import annotations

import re

from lienthong.errors import HostileInputError, SourceError

LONGEST_QUERY = 20_000
READERS = {"postgresql": "postgres", "mariadb": "mysql", "sqlserver": "tsql", "oracle": "oracle", "sqlite": "sqlite"}
WRITES = (
    "Insert", "Update", "Delete", "Merge", "Into", "Lock", "Command", "Create", "Drop", "Alter", "Copy", "Execute", "Set", "Use", "Transaction",
    "Pragma", "Attach", "Detach",
)  # fmt: skip
_FORBIDDEN = re.compile(
    r"(?i)^(load_file|sleep|benchmark|get_lock|release_lock|release_all_locks|master_pos_wait|master_gtid_wait|sys_exec|sys_eval|"
    r"pg_sleep.*|pg_read.*|pg_ls_.*|pg_stat_file|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_logical.*|"
    r"pg_replication.*|pg_create.*|pg_drop.*|pg_advisory.*|pg_try_advisory.*|pg_notify|set_config|lo_.*|dblink.*|query_to_xml.*|database_to_xml.*|nextval|setval|"
    r"openrowset|openquery|opendatasource|openxml|xp_.*|sp_.*|utl_.*|dbms_.*|httpuritype|load_extension|readfile|writefile|edit|fts3_tokenizer)$"
)


def check_query(text: str, kind: str, where: str) -> str:
    """The query without its last semicolon. Raises SourceError where it is none, HostileInputError where it does more than read."""
    query = text.strip().rstrip(";").rstrip()
    _check(query, kind, where)
    return query


def check_condition(text: str, kind: str, where: str) -> str:
    """A condition as stands behind `where`. Raises like `check_query`."""
    _check(f"select 1 from t where ({text})", kind, where)  # noqa: S608 # only parsed
    return text


def _check(query: str, kind: str, where: str) -> None:
    import sqlglot  # noqa: PLC0415 # half a second of every process that has no query to check
    from sqlglot import exp  # noqa: PLC0415 # as above

    if len(query) > LONGEST_QUERY:
        raise HostileInputError(f"{where}: dài hơn / longer than {LONGEST_QUERY} characters.")
    if (
        kind == "mariadb" and "\\" in query
    ):  # our session takes it as itself, the parser as an escape: the two would read different statements
        raise HostileInputError(f"{where}: không được có dấu `\\` / a backslash is not allowed in it.")
    try:
        trees = sqlglot.parse(query, dialect=READERS[kind])
        tokens = sqlglot.tokenize(query, dialect=READERS[kind])
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"{where}: không đọc được là SQL / cannot be read as SQL: {said}", hint="Expected one SELECT.") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise HostileInputError(f"{where}: chỉ được một câu SELECT / expected one SELECT and nothing else.")
    tree = trees[0]
    if any(token.comments for token in tokens) or "/*!" in query or "/*M!" in query:
        raise HostileInputError(f"{where}: không được có chú thích / comments are not allowed in it.")
    writing = next(tree.find_all(*(getattr(exp, name) for name in WRITES)), None)
    if writing is not None:
        raise HostileInputError(f"{where}: `{type(writing).__name__.upper()}` không được dùng / is not allowed: a source is only read.")
    for called in tree.find_all(exp.Func):
        name = called.name if isinstance(called, exp.Anonymous) else called.sql_name()
        if _FORBIDDEN.match(name):
            raise HostileInputError(f"{where}: hàm/function `{name.lower()}` không được dùng / is not allowed in a source.")
