"""OData, as a program reads it, from `$metadata` alone: `figure|rows|sets BASE SET …`, with the token as Basic's password where one is given."""

import json
import os
import sys

import requests
from odata import ODataService


def service(base: str) -> ODataService:
    session = requests.Session()
    if "TOKEN" in os.environ:
        session.auth = (os.environ.get("OFFICIAL", "can-bo-01"), os.environ["TOKEN"])
    return ODataService(f"{base}/odata/v4/", session=session, reflect_entities=True)


def sets(base: str) -> object:
    return sorted(service(base).entities)


def figure(base: str, name: str, column: str, *where: str) -> object:
    found = service(base)
    kind = found.entities[name]
    query = found.query(kind)
    for condition in where:
        key, _, value = condition.partition("=")
        asked = getattr(kind, key)
        query = query.filter(asked == (int(value) if type(asked).__name__ == "IntegerProperty" else value))
    return [getattr(row, column) for row in query]


def rows(base: str, name: str, column: str) -> object:
    """Every value of a column, over all pages."""
    found = service(base)
    return [getattr(row, column) for row in found.query(found.entities[name])]


def refused(base: str, name: str) -> object:
    """The status and the code of the service's refusal."""
    found = service(base)
    answer = found.default_context.connection.session.get(f"{base}/odata/v4/{name}")
    return [answer.status_code, answer.json()["error"]["code"]]


print(json.dumps({"sets": sets, "figure": figure, "rows": rows, "refused": refused}[sys.argv[1]](*sys.argv[2:])))
