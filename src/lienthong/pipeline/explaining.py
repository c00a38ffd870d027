"""Why two records are one or not, line by line: the bits add up to the weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lienthong.errors import NotFound
from lienthong.masterdata.waterfall import Line, waterfall
from lienthong.pipeline.listing import titles_of
from lienthong.pipeline.matching import EntityIndex, Name
from lienthong.pipeline.workshop import Workshop
from lienthong.store.matching import Index


@dataclass(frozen=True)
class Explained:
    """`bits`: the weight; `cut`: where the two registers' records join by themselves."""

    lines: tuple[Line, ...]
    bits: float
    cut: float


def explain(workshop: Workshop, index: EntityIndex, pairs: Sequence[tuple[Name, Name]]) -> list[Explained]:
    """One for each pair. Raises NotFound for a record that is not there."""
    names = sorted({name for pair in pairs for name in pair})
    with workshop.database.connect() as connection:
        found = {(r.source, r.key): r for r in Index(connection, index.entity.name).own(names)}
    for name in names:
        if name not in found:
            raise NotFound(
                f"There is no record `{name[1]}` of `{name[0]}`.",
                hint="Records are named by register and key.",
                vi=f"Không có bản ghi `{name[1]}` của `{name[0]}`.",
                hint_vi="Bản ghi được gọi bằng tên sổ và khóa.",
            )
    titles = titles_of(index.master)
    told = []
    for left, right in pairs:
        a, b = found[left], found[right]
        lines = waterfall(index.matcher.scorer, a.features, b.features, titles)
        told.append(Explained(lines, lines[-1].sum_bits, index.model.cuts.join(a.source, b.source)))
    return told
