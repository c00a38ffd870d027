"""CSV on the Web, as csvw reads it."""

import json
import sys
import warnings

from csvw import CSVW


def figure(base: str, dataset: str, column: str, *where: str) -> object:
    """The values of a column where the conditions hold, found from the file by its Link header."""
    table = CSVW(f"{base}/dataset/{dataset}.csv")
    wanted = dict(condition.split("=", 1) for condition in where)
    rows = [row for row in _rows(table) if all(str(row[name]) == value for name, value in wanted.items())]
    return [float(row[column]) for row in rows]


def _rows(csvw: CSVW) -> list:
    return list(csvw.tables[0])


def valid(base: str, dataset: str) -> object:
    """What `csvwvalidate` says of the file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        csvw = CSVW(f"{base}/dataset/{dataset}.csv", validate=True)
        held = csvw.is_valid
    return {
        "valid": held,
        "warnings": [str(each.message) for each in [*caught, *csvw.warnings]][:5],
        "licence": csvw.common_props.get("dc:license"),
    }


def spoiled(metadata: str) -> object:
    """A file beside its metadata, on disk."""
    csvw = CSVW(metadata, validate=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return {"valid": csvw.is_valid}


print(json.dumps({f.__name__: f for f in (figure, valid, spoiled)}[sys.argv[1]](*sys.argv[2:]), default=str))
