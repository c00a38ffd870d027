"""A contract file as plain data: YAML read without tags, anchors' bombs or repeated keys, and checked against ODCS's own schema."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from lienthong.contracts.faults import Fault
from lienthong.errors import ContractError

LARGEST_BYTES = 1_000_000
MOST_FAULTS_OF_SCHEMA = 50
DEEPEST = 40
_OPENING = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


class _Loader(yaml.CSafeLoader):
    """Plain YAML 1.1 data; dates stay text, so that a contract means the same in JSON."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
        if key in found:
            raise yaml.constructor.ConstructorError(None, None, f"`{key}` stands twice", key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(path: Path) -> dict[str, Any]:
    """The document of a file. Raises ContractError naming the file and, for bad YAML, the line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ContractError(f"`{path}` cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST_BYTES:
        raise ContractError(f"`{path}`: expected at most {LARGEST_BYTES:,} bytes, found {len(data):,}.")
    try:
        text = data.decode("utf-8")
        _refuse_traps(text, path)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 # a safe loader with fewer types
    except UnicodeDecodeError as error:
        raise ContractError(f"`{path}`: expected UTF-8, found another encoding at byte {error.start}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise ContractError(f"`{path}`{place}: not readable as YAML: {getattr(error, 'problem', error)}.") from error
    if not isinstance(document, dict):
        raise ContractError(f"`{path}`: expected a contract (keys and values), found {type(document).__name__}.")
    return document


def _refuse_traps(text: str, path: Path) -> None:
    """Aliases can make a small file huge, nesting can exhaust the reader; a contract needs neither."""
    depth = 0
    for token in yaml.scan(text, Loader=_Loader):
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
            raise ContractError(f"`{path}`: anchors and aliases (& and *) are not allowed.", hint="Write the value out where it is used.")
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > DEEPEST:
            raise ContractError(f"`{path}`, line {token.start_mark.line + 1}: nested more than {DEEPEST} deep.")


def faults_of_schema(document: dict[str, Any]) -> list[Fault]:
    """What the Open Data Contract Standard's own JSON schema has against the document."""
    if _quick_validator().is_valid(document):
        return []
    faults: list[Fault] = []
    for error in _validator().iter_errors(document):
        if len(faults) == MOST_FAULTS_OF_SCHEMA:
            break
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
        faults.append((place or "contract", error.message[:200], "see the Open Data Contract Standard v3.1"))
    return faults


@cache
def _quick_validator() -> Any:
    """Says whether there is anything at all: forty contracts took a second of each start without it (measured)."""
    from jsonschema_rs import Draft201909Validator  # noqa: PLC0415 # needed only to read contracts

    return Draft201909Validator(_schema())


@cache
def _validator() -> Any:
    """Says what and where, in words that are ours to rely on."""
    from jsonschema import Draft201909Validator  # noqa: PLC0415 # a tenth of a second at start, needed only where there is a fault

    return Draft201909Validator(_schema())


def _schema() -> Any:
    return json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
