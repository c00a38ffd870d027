"""The training room's handbook as PDF, by typst, out of the lessons' own text. The text travels as data: nothing in it is taken for markup."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import typst

_NAMED = re.compile(r"\{(\w+)\}")
BLANK = "……"  # where a lesson names what only its learner has
TEMPLATE = """
#let book = json(bytes(sys.inputs.book))
#set document(title: book.title)
#set page(paper: "a4", margin: (x: 20mm, y: 22mm), numbering: "1", header: context if counter(page).get().first() > 1 [#text(size: 9pt, fill: gray)[#book.title]])
#set text(lang: book.language, size: 11pt, font: ("Libertinus Serif", "New Computer Modern"))
#set par(justify: true, leading: 0.7em)
#align(center)[#v(2cm) #text(size: 22pt, weight: "bold")[#book.title] #v(4mm) #text(size: 12pt)[#book.lead]]
#v(1cm)
#for lesson in book.lessons [
  #block(breakable: false)[
    #text(size: 15pt, weight: "bold")[#lesson.order. #lesson.title]
    #v(1mm)
    #emph[#book.aim: #lesson.aim]
  ]
  #for (n, step) in lesson.steps.enumerate(start: 1) [
    #grid(columns: (8mm, 1fr, 8mm), gutter: 2mm, [#strong[#n.]], [#step], box(width: 4mm, height: 4mm, stroke: 0.6pt))
    #v(1mm)
  ]
  #block(inset: 3mm, radius: 2mm, fill: luma(240), width: 100%)[#strong[#book.learned:] #lesson.learned]
  #v(6mm)
]
"""


def handbook_pdf(lessons: Sequence[tuple[str, str, str, str, Sequence[str]]], words: Sequence[str], language: str) -> bytes:
    """`lessons`: (order, title, aim, what is learned, steps); `words`: the title, the lead, «aim», «learned»."""
    title, lead, aim, learned = words
    book = {
        "title": title, "lead": lead, "aim": aim, "learned": learned, "language": language,
        "lessons": [
            {"order": order, "title": name, "aim": what, "learned": kept, "steps": [_NAMED.sub(BLANK, step) for step in steps]}
            for order, name, what, kept, steps in lessons
        ],
    }  # fmt: skip
    made = typst.compile(TEMPLATE.encode(), sys_inputs={"book": json.dumps(book, ensure_ascii=False)}, ignore_system_fonts=True)
    assert isinstance(made, bytes)  # one document, no pages apart
    return made
