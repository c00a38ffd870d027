"""A client that has loaded what its script imports, and does what it is asked each time in a process forked from this one.

`python waiting.py SCRIPT`; each line it reads is a question (`arguments`, `variables`, files for `out` and `err`), each it writes an exit code.
"""

import ast
import json
import os
import runpy
import sys


def load(script: str) -> None:
    """What the script imports at its head; the rest of it runs when it is asked."""
    with open(script, encoding="utf-8") as file:  # noqa: PTH123 # nothing but what is needed
        tree = ast.parse(file.read())
    tree.body = [line for line in tree.body if isinstance(line, ast.Import | ast.ImportFrom)]
    exec(compile(tree, script, "exec"), {})  # noqa: S102 # our own script


def answer(script: str, asked: dict[str, object]) -> None:
    """Run the script as if it had been started so."""
    for target, name in ((1, "out"), (2, "err")):
        into = os.open(str(asked[name]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(into, target)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(asked["variables"])
    sys.argv = [script, *asked["arguments"]]
    runpy.run_path(script, run_name="__main__")


def questions(script: str) -> dict[str, object] | None:
    """In a forked process the question it is to answer; None in this one, when there are no more."""
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            return json.loads(line)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


load(sys.argv[1])
asked = questions(sys.argv[1])
if asked is not None:
    answer(sys.argv[1], asked)
