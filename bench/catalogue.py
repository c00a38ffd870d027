"""The catalogue: ten thousand generated contracts, how long a search takes, and the whole of them as DCAT in flat memory.

.venv/bin/python -m bench.catalogue --entries 1000
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from bench.report import Row, at_most
from lienthong.catalog import Index, Wanted, items_of_contracts
from lienthong.catalog.dcat import Publisher, stream
from lienthong.catalog.dcat_forms import Known
from lienthong.contracts import Contract, Layer, LegalBasis, Property, Sharing, Source
from lienthong.standards import without_marks
from lienthong.standards.admin_units import units
from lienthong.store.publications import Publication
from lienthong.web.doors.ckan.listing import Packages
from lienthong.web.doors.ckan.searching import search
from lienthong.web.doors.ckan.values import Parameters

ISSUE = 7
ENTRIES = 10_000
QUESTIONS = 400
PACKAGE_QUESTIONS = 120
WARM = 100  # datasets streamed before memory is looked at: libraries have then loaded what they load
WORDS = [
    "dân",
    "cư",
    "doanh",
    "nghiệp",
    "đất",
    "đai",
    "hộ",
    "nghèo",
    "giấy",
    "phép",
    "môi",
    "trường",
    "quan",
    "trắc",
    "chỉ",
    "tiêu",
    "thống",
    "kê",
    "y",
    "tế",
    "giáo",
    "dục",
    "giao",
    "thông",
    "xây",
    "dựng",
    "nông",
    "nghiệp",
    "lao",
    "động",
    "bảo",
    "hiểm",
    "hộ",
    "tịch",
    "trường",
    "học",
    "bệnh",
    "viện",
    "công",
    "trình",
    "thủy",
    "lợi",
    "rừng",
    "khoáng",
    "sản",
    "tài",
    "chính",
    "ngân",
    "sách",
    "thuế",
    "cán",
    "bộ",
    "công",
    "chức",
    "hồ",
    "sơ",
    "thủ",
    "tục",
    "đăng",
    "ký",
]
THEMES = ("population", "business", "land", "environment", "statistics", "health", "education", "transport", "agriculture", "finance")


def contracts(count: int) -> Iterator[Contract]:
    """Contracts as a province would have them: titles and fields of the words offices use, places in many titles."""
    chance, places = Random(7), [unit.name for unit in units()]

    def words(number: int) -> str:
        return " ".join(chance.choices(WORDS, k=number)).capitalize()

    for number in range(count):
        agency = f"H10.{number % 60:02}"
        properties = tuple(
            Property(f"field_{place}", "string", words(3), words(2), words(8), key_position=1 if place == 0 else None, required=place == 0)
            for place in range(12)
        )
        yield Contract(
            id=f"agency{number % 60}.dataset-{number}", version="1.0.0", status="active", title_vi=f"{words(5)} {chance.choice(places)}", title_en=words(5),
            description_vi=words(20), description_en=words(20), agency=agency, domain=chance.choice(THEMES), properties=properties,
            sources=(Source("file", "csv_file", "x.csv"),), layer=chance.choice(list(Layer)), sharing=chance.choice(list(Sharing)),
            legal_basis=(LegalBasis("Luật Dữ liệu 60/2024/QH15"),), licence="vn-ogd",
        )  # fmt: skip


def questions(count: int) -> list[str]:
    """One to four words, a third without marks, some only begun, some names of places."""
    chance, places = Random(8), [unit.name for unit in units()]
    found = []
    for number in range(count):
        text = chance.choice(places) if number % 5 == 0 else " ".join(chance.choices(WORDS, k=1 + number % 4))
        found.append(without_marks(text) if number % 3 == 0 else text[: max(1, len(text) - 1)] if number % 7 == 0 else text)
    return found


def measure(entries: int = ENTRIES) -> list[Row]:
    made = list(contracts(entries))
    agencies = {f"H10.{number:02}": f"Sở số {number}" for number in range(60)}
    begun = time.perf_counter()
    index = Index(items_of_contracts(made, agencies))
    built = time.perf_counter() - begun
    taken = []
    for text in questions(QUESTIONS):
        begun = time.perf_counter()
        index.search(Wanted(text, {}, 0, 20))
        taken.append(time.perf_counter() - begun)
    p95 = statistics.quantiles(taken, n=20)[-1] * 1000
    seconds, megabytes, size = _streamed(made, agencies)
    searched = statistics.quantiles(_packages(made, agencies, index), n=20)[-1] * 1000
    return [
        at_most(f"catalogue of {entries:,} entries: search, p95", p95, 50, "ms", f"{QUESTIONS} questions, facets counted", ISSUE),
        at_most(
            f"CKAN's package_search of {entries:,} packages, p95", searched, 50, "ms",
            "words with facets, filters of a harvester, its pages of 100; without HTTP", ISSUE,
        ),
        at_most(f"catalogue of {entries:,} entries: index made", built, 30, "s", "once, when something changed", ISSUE),
        at_most(
            f"full DCAT of {entries:,} entries: memory it grows by while it is streamed", megabytes, 20, "MB",
            f"{size / 1e6:.0f} MB of Turtle in {seconds:.0f} s", ISSUE,
        ),
    ]  # fmt: skip


def _packages(made: list[Contract], agencies: dict[str, str], index: Index) -> list[float]:
    """Seconds of each search, as portals and harvesters ask; what is made at the first question is made before."""
    packages, at = Packages("https://du-lieu.example.vn"), datetime(2026, 11, 1, tzinfo=UTC)
    facts = {contract.id: Publication(1, at, at - timedelta(hours=number), 10) for number, contract in enumerate(made)}
    asked: list[dict[str, object]] = []
    for number, text in enumerate(questions(PACKAGE_QUESTIONS)):
        kinds: tuple[dict[str, object], ...] = (
            {"q": text, "facet.field": ["organization", "groups", "tags", "res_format"]},
            {"fq": f"organization:h10_{number % 60:02} -groups:land"},
            {"fq": f"metadata_modified:[{at - timedelta(days=number):%Y-%m-%dT%H:%M:%SZ} TO *]", "sort": "id asc", "rows": 100},
            {"q": "*:*", "sort": "id asc", "rows": 100, "start": number * 50},
        )
        asked.append(kinds[number % 4])
    taken = []
    for sent in [*asked[:4], *asked]:
        begun = time.perf_counter()
        search(Parameters(sent), packages.of(made, facts, agencies.__getitem__), index, at, agencies.__getitem__)
        taken.append(time.perf_counter() - begun)
    return taken[4:]


def _streamed(made: list[Contract], agencies: dict[str, str]) -> tuple[float, float, int]:
    """(seconds, most megabytes held beside what was held before, bytes given) of the whole export: timed once, then again with memory watched, which makes it slow."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    publisher = Publisher("https://du-lieu.example.vn", "Danh mục", "Catalogue", agencies, {})

    def pieces() -> Iterator[bytes]:
        return stream(publisher, (Known(contract, at, at, 1, contract.sharing is Sharing.OPEN) for contract in made), "text/turtle")

    begun = time.perf_counter()
    size = sum(map(len, pieces()))
    seconds = time.perf_counter() - begun
    before = 0
    for number, _ in enumerate(pieces()):
        if number == WARM:
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
    most = tracemalloc.get_traced_memory()[1] if tracemalloc.is_tracing() else 0
    tracemalloc.stop()
    return seconds, (most - before) / 1e6, size


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entries", type=int, default=ENTRIES)
    rows = measure(arguments.parse_args().entries)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most, all in all")
    for row in rows:
        print(f"{row.measure}: {row.value:g} {row.unit} ({row.target}; {row.reference})")


if __name__ == "__main__":
    main()
