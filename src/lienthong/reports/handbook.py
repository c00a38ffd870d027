"""The training room's handbook as PDF, by typst, out of the lessons' own text. The text travels as data: nothing in it is taken for markup."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_NAMED = re.compile(r"\{(\w+)\}")
BLANK = "……"  # where a lesson names what only its learner has
FONTS = Path(__file__).parent / "documents" / "fonts"
TEMPLATE = """
#let book = json(bytes(sys.inputs.book))
#let words = book.words
#set document(title: words.handbook, date: none)
#set page(paper: "a4", margin: (x: 22mm, y: 22mm), footer: context align(center, text(size: 9pt, counter(page).display())), header: context if counter(page).get().first() > 1 [#text(size: 9pt, fill: luma(90))[#words.handbook]])
#set text(lang: book.language, size: 12pt, font: "Tinos", fallback: false)
#set par(justify: true, leading: 0.62em)
#align(center)[#v(6mm) #text(size: 22pt, weight: "bold")[#words.handbook] #v(3mm) #text(size: 13pt)[#words.handbook_lead]]
#v(6mm)
#words.handbook_how
#if words.where != "" [ #words.where ]
#v(2mm)
#grid(columns: (auto, 1fr), row-gutter: 5mm, column-gutter: 3mm,
  ..(words.name, words.agency).map(label => ([#label:], box(width: 100%, height: 1em, stroke: (bottom: 0.5pt + luma(120))))).flatten())
#v(8mm)
#let box-to-tick = box(width: 4mm, height: 4mm, stroke: 0.6pt, baseline: 0.6mm)
#for lesson in book.lessons [
  #block(breakable: false, width: 100%, below: 9mm)[
    #text(size: 15pt, weight: "bold")[#lesson.order. #lesson.title]
    #v(-2mm)
    #text(size: 10pt, fill: luma(80))[#lesson.whose]
    #v(-1mm)
    #emph[#words.aim: #lesson.aim]
    #for (n, step) in lesson.steps.enumerate(start: 1) [
      #grid(columns: (8mm, 1fr, 6mm), column-gutter: 2mm, strong[#n.], [#step.at(0) #if step.at(1) [#box(width: 1fr, height: 0.8em, stroke: (bottom: 0.5pt + luma(120)))]], align(right, box-to-tick))
    ]
    #block(inset: 3mm, radius: 2mm, fill: luma(240), width: 100%)[#strong[#words.learned:] #lesson.learned]
  ]
]
"""
WORDS = ("handbook", "handbook_lead", "handbook_how", "name", "agency", "aim", "learned")


@dataclass(frozen=True)
class HandbookLesson:
    """A lesson in one language. `whose`: for whom and how long; `steps`: what to do, and whether an answer is to be written."""

    order: str
    title: str
    aim: str
    learned: str
    whose: str
    steps: tuple[tuple[str, bool], ...]


def blanked(text: str) -> str:
    """A lesson's text for paper: blanks where it names what only its learner has."""
    return _NAMED.sub(BLANK, text)


def handbook_pdf(lessons: Sequence[HandbookLesson], words: Mapping[str, str], language: str) -> bytes:
    """`words`: those of `WORDS`, and `where` the sandbox is, empty for nowhere."""
    import typst  # noqa: PLC0415 # takes long to load

    told = [{**asdict(each), "steps": [(blanked(do), is_asked) for do, is_asked in each.steps]} for each in lessons]
    book = json.dumps({"words": dict(words), "language": language, "lessons": told}, ensure_ascii=False)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    made = typst.compile(TEMPLATE.encode(), sys_inputs={"book": book}, font_paths=fonts)
    assert isinstance(made, bytes)  # one document, no pages apart
    return made
