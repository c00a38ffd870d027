"""Secrets of sources, where they stand: in a file only the server's account can read, in the machine's keyring, in the environment.

`secret:file/NAME`, `secret:keyring/NAME`, `secret:env/NAME`. A contract holds such a name, never what it stands for; nor does any message.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lienthong.errors import SourceError

MARK = "secret:"
SERVICE = "lienthong"  # under which the keyring has them
LONGEST = 65_536
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
KINDS = ("file", "keyring", "env")


class Variables(dict[str, str]):
    """The variables of sources; secrets are looked up when they are asked for, each time anew."""

    def __init__(self, values: Mapping[str, str], folder: Path | None = None) -> None:
        super().__init__(values)
        self.folder = folder


@dataclass(frozen=True)
class _Told:
    vi: str
    en: str
    hint: str


def secret(name: str, variables: Mapping[str, str]) -> str:
    """What `secret:KIND/NAME` stands for. Raises SourceError naming it, never what it holds."""
    kind, _, short = name.removeprefix(MARK).partition("/")
    if kind not in KINDS or not _NAME.fullmatch(short):
        raise _missing(
            name,
            _Told("không phải tên bí mật", "is no name of a secret", "Write secret:file/NAME, secret:keyring/NAME or secret:env/NAME."),
        )
    if kind == "env":
        if short not in variables:
            raise _missing(name, _Told("chưa được đặt", "is not set", f"Set LIENTHONG_SOURCE_{short} in the environment."))
        return variables[short]
    if kind == "keyring":
        return _of_keyring(name, short)
    folder = variables.folder if isinstance(variables, Variables) else None
    if folder is None:
        raise _missing(name, _Told("chưa có thư mục bí mật", "there is no folder of secrets", "Set LIENTHONG_SECRETS."))
    return _of_file(name, folder, short)


def _of_file(name: str, folder: Path, short: str) -> str:
    """A regular file of ours that nobody else can read, in a folder nobody else can write to."""
    place = folder / short
    try:
        if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _missing(name, _Told("thư mục bí mật ai cũng ghi được", "lies in a folder others may write to", f"chmod 700 {folder}"))
        file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as opened:
            state = os.fstat(opened.fileno())
            if not stat.S_ISREG(state.st_mode) or state.st_uid not in (os.geteuid(), 0):
                raise _missing(name, _Told("không phải tệp của ta", "is no regular file of this account", "Make it anew as a plain file."))
            if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise _missing(name, _Told("người khác đọc được tệp này", "can be read by others", f"chmod 600 {place}"))
            content = opened.read(LONGEST + 1)
    except OSError as error:
        said = _Told("không đọc được tệp bí mật", f"cannot be read ({error.strerror})", f"Write it into {place}, mode 600.")
        raise _missing(name, said) from error
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise _missing(name, _Told("không phải văn bản", "is no text", "Write it in UTF-8.")) from error
    if not text or len(content) > LONGEST:
        raise _missing(name, _Told("trống hoặc quá dài", "is empty or too long", f"Write it into {place}."))
    return text


def _of_keyring(name: str, short: str) -> str:
    import keyring  # noqa: PLC0415 # finds its backends by loading them; only sources that name it need it
    from keyring.errors import KeyringError  # noqa: PLC0415 # as above

    try:
        found = keyring.get_password(SERVICE, short)
    except KeyringError as error:
        raise _missing(
            name, _Told("không mở được kho khóa", "the keyring does not open", "Is there a keyring for this account?")
        ) from error
    if found is None:
        raise _missing(name, _Told("không có trong kho khóa", "is not in the keyring", f"keyring set {SERVICE} {short}"))
    return found


def _missing(name: str, told: _Told) -> SourceError:
    return SourceError(f"Bí mật/secret `{name[:120]}`: {told.vi} / {told.en}.", hint=told.hint)
