"""`${NAME}` in a location or an option, filled from what the operator set: contracts hold no addresses and no secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lienthong.connectors.secrets import MARK, Variables, secret
from lienthong.errors import SourceError

PREFIX = "LIENTHONG_SOURCE_"
_NAME = re.compile(r"\$\{([^}]*)\}")


def source_variables(environment: Mapping[str, str], secrets: Path | None = None) -> Variables:
    """The variables sources may use: those named `LIENTHONG_SOURCE_…`, under their names without the prefix.

    Nothing else of the environment is given, so that no contract can send a secret of ours to an address of its own.
    """
    return Variables({name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}, secrets)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`text` with each `${NAME}` filled from `variables`. Raises SourceError naming the first that is not set.

    A text that is `secret:KIND/NAME`, or a `${secret:KIND/NAME}` inside one, is what that secret holds.
    """
    if text.startswith(MARK):
        return secret(text, variables)

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name.startswith(MARK):
            return secret(name, variables)
        for candidate in (name, PREFIX + name):
            if candidate in variables:
                return variables[candidate]
        raise SourceError(
            f"`{text}`: biến ${{{name}}} chưa được đặt / the variable ${{{name}}} is not set.",
            hint=f"Set {PREFIX}{name} in the environment.",
        )

    return _NAME.sub(fill, text)


def expand_all(value: Any, variables: Mapping[str, str]) -> Any:
    """`value` with every text inside it expanded, however deep in lists and mappings."""
    if isinstance(value, str):
        return expand(value, variables)
    if isinstance(value, Mapping):
        return {key: expand_all(inner, variables) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [expand_all(inner, variables) for inner in value]
    return value
