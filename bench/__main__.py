"""`make bench`: every measure on one server of its own, a table, and `bench/results/latest.json`.

`--rows` and `--large` make it smaller; `--only loading,serving,start` measures these parts alone, in that order; the rows of the others stay,
each with the commit it was measured at. `--kinds CSV,XML` with `--only flat` measures these kinds of source alone. `LIENTHONG_BENCH_PAGES=FOLDER` keeps the province of the pages, so that it is loaded once. Each part is written as soon as it is measured; one that fails is told, and the others go on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    existence,
    flat,
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
    story,
    sync,
    units,
)
from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer


@dataclass(frozen=True)
class Bench:
    """Where a part measures: a server of the run's own, a folder, and how many rows make it the real size."""

    server: EmbeddedServer
    folder: Path
    rows: int
    large: int
    kinds: tuple[str, ...] = ()  # kinds of source measured alone; none: all

    def database(self, name: str) -> str:
        return self.server.create_database(name)


def _serving(at: Bench) -> list[report.Row]:
    rows = serving.measure(at.server, at.folder, at.rows)
    url = at.database("answers")
    Database(url).apply_schema()
    return rows + answers.measure(url)


Measure = Callable[[Bench], list[report.Row]]
PARTS: Mapping[str, Measure] = {
    "loading": lambda at: loading.measure(at.database("loading"), at.folder, at.rows, at.large),
    "serving": _serving,
    "broker": lambda at: broker.measure(at.server, at.folder),
    "matching": lambda at: matching.measure(at.database("matching"), at.rows),
    "matching_larger": lambda at: matching.measure_larger(at.database, at.rows, at.large // 2),
    "story": lambda at: story.measure(at.server, at.folder, at.rows),
    "ledger": lambda at: ledger.measure(at.database("ledger"), at.rows) + ledger.measure(at.database("ledger_large"), at.large),
    "start": lambda _: starting.measure(),
    "sync": lambda at: sync.measure(at.server, at.rows),
    "existence": lambda at: existence.measure(at.server, at.folder),
    "events": lambda at: events.measure(at.database("events"), at.folder),
    "pages": lambda at: pages.measure(
        at.rows, Path(os.environ["LIENTHONG_BENCH_PAGES"]) if "LIENTHONG_BENCH_PAGES" in os.environ else None
    ),
    "catalogue": lambda _: catalogue.measure(),
    "maps": lambda at: ogc.measure(at.server, at.folder, at.rows // 2),
    "bulk": lambda at: delta.measure(at.server, at.folder, at.rows),
    "encodings": lambda at: encodings.measure(at.folder),
    "formats": lambda at: formats.measure(at.database("formats"), at.folder, at.rows // 5, at.rows // 1_000, at.rows),
    "flat": lambda at: flat.measure(at.server, at.folder, at.large, at.kinds),
    "sources": lambda at: sources.measure(at.server, at.folder, at.rows // 1_000),
    "databases": lambda at: databases.measure(at.server, at.large // 2),
    "errors": lambda at: errors.measure(20_000) + errors.measure(at.rows),
    "standards": lambda at: standards.measure(at.rows),
    "units": lambda _: units.measure(),
    "soak": lambda at: soak.measure(at.folder),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--large", type=int, default=10_000_000)
    arguments.add_argument("--only", default=",".join(PARTS))
    arguments.add_argument("--kinds", default="")
    given = arguments.parse_args()
    kinds = tuple(given.kinds.split(",")) if given.kinds else ()
    failed = [name for name in given.only.split(",") if not _measured(name, given.rows, given.large, kinds)]
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}.")


def _measured(part: str, rows: int, large: int, kinds: tuple[str, ...] = ()) -> bool:
    """Measure a part on a server of its own and write its rows; what it raises is told, not passed on."""
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server reads the files for its own COPY, under another account
        server = EmbeddedServer(folder / "home")
        server.start()
        try:
            report.write({part: PARTS[part](Bench(server, folder, rows, large, kinds))}, whole=not kinds)
        except (Exception, SystemExit):
            traceback.print_exc()
            return False
        finally:
            server.stop()
    return True


if __name__ == "__main__":
    main()
