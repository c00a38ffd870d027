"""`make bench`: every measure on one server of its own, a table, and `bench/results/latest.json`.

`--rows` and `--large` make it smaller; `--only loading,serving,start` measures these parts alone; the rows of the others stay, each with the commit it was measured at.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

from bench import (
    answers,
    broker,
    catalogue,
    databases,
    delta,
    encodings,
    errors,
    events,
    formats,
    ledger,
    loading,
    matching,
    ogc,
    pages,
    report,
    serving,
    soak,
    sources,
    standards,
    starting,
    sync,
    units,
)
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer

PARTS = (
    "loading",
    "serving",
    "broker",
    "matching",
    "ledger",
    "start",
    "sync",
    "events",
    "pages",
    "catalogue",
    "maps",
    "bulk",
    "encodings",
    "formats",
    "soak",
    "sources",
    "databases",
    "errors",
    "standards",
    "units",
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--large", type=int, default=10_000_000)
    arguments.add_argument("--only", default=",".join(PARTS))
    given = arguments.parse_args()
    wanted = given.only.split(",")
    rows: dict[str, list[report.Row]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server reads the files for its own COPY, under another account
        server = EmbeddedServer(folder / "home")
        server.start()
        try:
            if "loading" in wanted:
                rows["loading"] += loading.measure(server.create_database("loading"), folder, given.rows, given.large)
            if "serving" in wanted:
                rows["serving"] += serving.measure(server, folder, given.rows)
                url = server.create_database("answers")
                Database(url).apply_schema()
                rows["serving"] += answers.measure(url)
            if "broker" in wanted:
                rows["broker"] += broker.measure(server, folder)
            if "matching" in wanted:
                rows["matching"] += matching.measure(
                    server.create_database("matching"), given.rows, server.create_database("matching_large"), given.large // 2
                )
            if "sync" in wanted:
                rows["sync"] += sync.measure(server, given.rows)
            if "ledger" in wanted:
                rows["ledger"] += ledger.measure(server.create_database("ledger"), given.large)
            if "events" in wanted:
                rows["events"] += events.measure(server.create_database("events"), folder)
            if "maps" in wanted:
                rows["maps"] += ogc.measure(server, folder, given.rows // 2)
            if "formats" in wanted:
                rows["formats"] += formats.measure(
                    server.create_database("formats"), folder, given.rows // 5, given.rows // 1000, given.rows
                )
            if "bulk" in wanted:
                rows["bulk"] += delta.measure(server, folder, given.rows)
            if "sources" in wanted:
                rows["sources"] += sources.measure(server, folder, given.rows // 1_000)
            if "databases" in wanted:
                rows["databases"] += databases.measure(server, given.large // 2)
        finally:
            server.stop()
    if "encodings" in wanted:
        with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as name:
            rows["encodings"] += encodings.measure(Path(name))
    if "soak" in wanted:
        with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as name:
            Path(name).chmod(0o755)
            rows["soak"] += soak.measure(Path(name))
    if "errors" in wanted:
        rows["errors"] += errors.measure(20_000) + errors.measure(given.rows)
    if "start" in wanted:
        rows["start"] += starting.measure()
    if "pages" in wanted:
        rows["pages"] += pages.measure(given.rows)
    if "catalogue" in wanted:
        rows["catalogue"] += catalogue.measure()
    if "standards" in wanted:
        rows["standards"] += standards.measure(given.rows)
    if "units" in wanted:
        rows["units"] += units.measure()
    report.write(rows)


if __name__ == "__main__":
    main()
