"""Who is told in Vietnamese what went wrong is told in Vietnamese what to do next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import lienthong
from lienthong import errors
from lienthong.connectors.hints import in_vietnamese

HOME = Path(lienthong.__file__).parent
VALUE = "…"  # stands for what an f-string puts in
BARE = re.compile(
    r"(?:lienthong|pip|chmod|GET|POST|PUT|PATCH|DELETE) (?:.*[^.?!])|(?:https?:/)?/\S*", re.DOTALL
)  # a command, a request, an address
# A message of X-Road has one text, and its collectors match the words.
ONE_LANGUAGE = frozenset({"access/xroad.py", "web/xroad.py"})
LIST = re.compile(r"[^\s,]*[^\s,.?!](?:, [^\s,]*[^\s,.?!])*")


def untold(source: str) -> list[tuple[int, str]]:
    """(line, hint) of every call that gives `vi` and `hint` but no `hint_vi`, where the hint holds words."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    found = []
    for call in calls:
        given = {word.arg: word.value for word in call.keywords if word.arg}
        if given.keys() >= {"vi", "hint"} and "hint_vi" not in given:
            found += [(call.lineno, saying) for saying in sayings(given["hint"]) if is_wordy(saying) and in_vietnamese(saying) == saying]
    return sorted(found)


def sayings(hint: ast.expr) -> Iterator[str]:
    """What a hint may say. None of what is computed elsewhere: a name, what a function gives."""
    match hint:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from (*sayings(one), *sayings(other))
        case ast.BoolOp(values=either):
            for each in either:
                yield from sayings(each)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from map("".join, product(list(sayings(left)) or [VALUE], list(sayings(right)) or [VALUE]))


def is_wordy(saying: str) -> bool:
    """Whether a saying is one of a language: no bare command, request, address or list of values."""
    bare = saying.strip().strip("`")
    is_code = BARE.fullmatch(bare) or LIST.fullmatch(bare)
    return re.search(r"[^\W\d_]", bare) is not None and is_code is None


def unspoken(source: str, kinds: frozenset[str]) -> list[tuple[int, str]]:
    """(line, call) of every error for a caller that is raised with words but none in Vietnamese."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    found = []
    for call in calls:
        given = {word.arg for word in call.keywords}
        is_wordy_call = any(isinstance(word, ast.Constant | ast.JoinedStr) for word in call.args)
        if isinstance(call.func, ast.Name) and call.func.id in kinds and is_wordy_call and not given & {"vi", None}:
            found.append((call.lineno, ast.unparse(call)))
    return sorted(found)


def test_every_error_of_a_request_is_told_in_vietnamese() -> None:
    kinds = frozenset(name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.RequestError))
    sources = (
        path for path in sorted(HOME.rglob("*.py")) if path.relative_to(HOME).as_posix() not in ONE_LANGUAGE and "cli" not in path.parts
    )
    missing = [
        f"{path.relative_to(HOME.parent)}:{line}: {call}" for path in sources for line, call in unspoken(path.read_text("utf-8"), kinds)
    ]
    assert not missing, "\n".join(missing)


def test_every_hint_of_an_error_told_in_vietnamese_is_told_in_vietnamese() -> None:
    sources = ((path, path.read_text("utf-8")) for path in sorted(HOME.rglob("*.py")))
    missing = [
        f"{path.relative_to(HOME.parent)}:{line}: {hint}" for path, source in sources if "hint=" in source for line, hint in untold(source)
    ]
    assert not missing, "\n".join(missing)


def test_a_hint_in_english_alone_is_found_wherever_it_is_chosen() -> None:
    source = """
raise Denied("No.", vi="Không.", hint="Ask first.")
raise Denied("No.", vi="Không.", hint=f"Ask {who}.")
raise Denied("No.", vi="Không.", hint="Ask first." if who else "")
raise Denied("No.", vi="Không.", hint=near or "Ask " + who)
"""
    assert untold(source) == [(2, "Ask first."), (3, "Ask …."), (4, "Ask first."), (5, "Ask …")]


def test_what_is_no_words_or_has_its_vietnamese_is_not_asked_for() -> None:
    source = """
raise Denied("No.", vi="Không.", hint="Ask first.", hint_vi="Hãy hỏi trước.")
raise Denied("No.", hint="Ask first.")
raise Denied("No.", vi="Không.", hint="Run again.")
raise Denied("No.", vi="Không.", hint=f"Did you mean `{near}`?")
raise Denied("No.", vi="Không.", hint=f"lienthong publish {dataset}")
raise Denied("No.", vi="Không.", hint="GET /v1/datasets")
raise Denied("No.", vi="Không.", hint="https://a.example/b")
raise Denied("No.", vi="Không.", hint="csv, parquet")
raise Denied("No.", vi="Không.", hint=", ".join(known))
"""
    assert untold(source) == []


def test_a_command_with_words_around_it_is_words() -> None:
    assert is_wordy("GET /v1/datasets lists them.")
    assert is_wordy("lienthong status lists them.")
    assert is_wordy("Retry.")
