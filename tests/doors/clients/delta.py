"""Delta Sharing, as an analyst's notebook reads it: `COMMAND PROFILE …`; prints JSON."""

import contextlib
import io
import json
import os
import sys
import time

import delta_sharing
import requests


def figure(profile: str, dataset: str, column: str, *where: str, is_by_kernel: bool = False) -> object:
    schema, _, table = dataset.partition(".")
    found = delta_sharing.load_as_pandas(f"{profile}#open.{schema}.{table}", use_delta_format=is_by_kernel)
    for condition in where:
        name, _, value = condition.partition("=")
        found = found[found[name].astype(str) == value]
    return found[column].tolist()


def figure_of_kernel(*asked: str) -> object:
    """As Delta's own kernel reads it."""
    return figure(*asked, is_by_kernel=True)


def tables(profile: str) -> object:
    client = delta_sharing.SharingClient(profile)
    return sorted(f"{t.share}.{t.schema}.{t.name}" for t in client.list_all_tables())


def read(profile: str, table: str, limit: str = "", version: str = "", hints: str = "") -> object:
    found = delta_sharing.load_as_pandas(
        f"{profile}#{table}",
        limit=int(limit) if limit else None,
        version=int(version) if version else None,
        jsonPredicateHints=hints or None,
    )
    return {"columns": list(found.columns), "rows": json.loads(found.to_json(orient="values", date_format="iso"))}


def changes(profile: str, table: str, first: str, last: str = "") -> object:
    found = delta_sharing.load_table_changes_as_pandas(
        f"{profile}#{table}", starting_version=int(first), ending_version=int(last) if last else None
    )
    return json.loads(found.to_json(orient="records"))


def kernel(profile: str, table: str) -> object:
    """Rows and changes as Delta's own kernel reads them, out of a log made of the answer."""
    found = delta_sharing.load_as_pandas(f"{profile}#{table}", use_delta_format=True)
    changed = delta_sharing.load_table_changes_as_pandas(f"{profile}#{table}", starting_version=1, use_delta_format=True)
    return {
        "columns": list(found.columns),
        "rows": json.loads(found.to_json(orient="values", date_format="iso")),
        "changes": sorted({(kind, int(number)) for kind, number in zip(changed["_change_type"], changed["_commit_version"], strict=True)}),
        "changed": len(changed),
    }


def version(profile: str, table: str) -> object:
    return delta_sharing.get_table_version(f"{profile}#{table}")


def refused(profile: str, table: str) -> object:
    """The status a refusal has, and how long the client took to give up."""
    began = time.monotonic()
    try:
        delta_sharing.load_as_pandas(f"{profile}#{table}")
    except requests.HTTPError as error:
        return {"status": error.response.status_code, "seconds": time.monotonic() - began}
    return None


ASKED = (figure, figure_of_kernel, tables, read, changes, kernel, version, refused)
commands = {each.__name__: each for each in ASKED}
with contextlib.redirect_stdout(io.StringIO()):  # the client speaks on the terminal
    answer = commands[sys.argv[1]](*sys.argv[2:])
print(json.dumps(answer), flush=True)
os._exit(0)  # Arrow's threads now and then end a process that ends badly
