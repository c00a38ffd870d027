"""Data Package, as frictionless reads it."""

import json
import sys

from frictionless import Package, Resource, Schema


def figure(base: str, dataset: str, column: str, *where: str) -> object:
    """The values of a column where the conditions hold, read through the descriptor."""
    package = Package(f"{base}/dataset/{dataset}/datapackage.json")
    wanted = dict(condition.split("=", 1) for condition in where)
    rows = package.resources[0].read_rows()
    return [float(row[column]) for row in rows if all(str(row[name]) == value for name, value in wanted.items())]


def valid(base: str, dataset: str) -> object:
    """Whether the package, its hashes, types, constraints and keys hold, and what it says of itself."""
    package = Package(f"{base}/dataset/{dataset}/datapackage.json")
    report = package.validate()
    return {
        "valid": report.valid,
        "errors": report.flatten(["type", "note"])[:5],
        "rows": [task.stats.get("rows") for task in report.tasks],
        "hash": [bool(resource.hash and resource.bytes) for resource in package.resources],
        "keys": [len(resource.schema.foreign_keys) for resource in package.resources],
        "licenses": package.licenses,
        "version": package.version,
    }


def spoiled(base: str, dataset: str, folder: str, path: str) -> object:
    """A file with a bad cell, held against the schema the package gives: what is found."""
    package = Package(f"{base}/dataset/{dataset}/datapackage.json")
    schema = package.resources[0].schema.to_descriptor()
    schema.pop("foreignKeys", None)
    report = Resource(path=path, basepath=folder, schema=Schema.from_descriptor(schema)).validate()
    return report.flatten(["type", "fieldName"])


print(json.dumps({f.__name__: f for f in (figure, valid, spoiled)}[sys.argv[1]](*sys.argv[2:]), default=str))
