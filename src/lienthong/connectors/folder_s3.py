"""A bucket (or a part of one) of an S3 service, read by pyarrow through fsspec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from fsspec.implementations.arrow import ArrowFSWrapper
from pyarrow.fs import AwsDefaultS3RetryStrategy, S3FileSystem

from lienthong.connectors.addresses import connected, judged
from lienthong.connectors.base import ReadContext
from lienthong.connectors.folder import Address, FolderOptions, Lying, Stage, checked_names
from lienthong.errors import SourceError

PIECE = 8 << 20
AMAZON = "https://s3.amazonaws.com"


class S3Folder:
    """`s3://bucket/prefix/*.csv`. Options: `endpoint`, `region`, `access_key`, `secret_key` (both or neither: then anonymous)."""

    epoch: str | None = None

    def __init__(self, address: Address, options: FolderOptions, context: ReadContext) -> None:
        self._address, self._options, self._context = address, options, context
        own = options.own
        self._endpoint = own.text("endpoint")
        self._region = own.text("region", "us-east-1")
        self._key, self._secret = own.text("access_key") or address.user, own.text("secret_key") or address.password
        self._files: Any = None

    def opening(self) -> Iterator[Stage]:
        place = urlsplit(self._endpoint or AMAZON)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise SourceError("`folder.endpoint`: cần địa chỉ http(s) / expected an address such as https://s3.agency.vn.")
        port = place.port or (443 if place.scheme == "https" else 80)
        addresses = judged(place.hostname, port, self._context.networks)
        yield "resolved"
        connected(place.hostname, port, addresses, self._options.limits.timeout_seconds).close()
        yield "connected"
        seconds = self._options.limits.timeout_seconds
        more = {"endpoint_override": place.netloc, "scheme": place.scheme} if self._endpoint else {}
        who = {"access_key": self._key, "secret_key": self._secret} if self._key else {"anonymous": True}
        with self._words():
            self._files = ArrowFSWrapper(
                S3FileSystem(
                    **who,
                    **more,
                    region=self._region,
                    request_timeout=seconds,
                    connect_timeout=min(seconds, 10.0),
                    retry_strategy=AwsDefaultS3RetryStrategy(max_attempts=2),
                )
            )
            self._files.fs.get_file_info(self._root)  # signs in: a refusal is told here
        yield "signed_in"

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:  # noqa: ARG002 # names here do not grow
        pattern = self._address.wanted
        with self._words():
            listed = self._files.find(self._root, maxdepth=None if "**" in pattern else pattern.count("/") + 1, detail=True)
        found = [_facts(path.removeprefix(f"{self._root}/"), facts) for path, facts in listed.items()]
        checked_names(found)
        return [each for each in found if accepts(each.name)]

    def facts(self, name: str) -> Lying:
        with self._words(name):
            return _facts(name, self._files.info(f"{self._root}/{name}"))

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        with self._words(lying.name), self._files.fs.open_input_file(f"{self._root}/{lying.name}") as file:
            file.seek(offset)
            while piece := file.read(PIECE):
                yield piece

    def close(self) -> None:
        """Nothing is held: pyarrow keeps its own connections."""

    @property
    def _root(self) -> str:
        return f"{self._address.host}{self._address.folder}".rstrip("/")

    @contextmanager
    def _words(self, name: str = "") -> Iterator[None]:
        what = f"`{self._address.where.rstrip('/')}{f'/{name}' if name else ''}`"
        try:
            yield
        except FileNotFoundError as error:
            raise SourceError(
                f"{what}: không tìm thấy / is not there.", hint="Is the bucket written right? Has the agency delivered?"
            ) from error
        except (OSError, pa.ArrowException) as error:
            said = str(error)
            if "ACCESS_DENIED" in said or "HTTP status 403" in said or "INVALID_ACCESS_KEY" in said or "SIGNATURE" in said.upper():
                raise SourceError(f"{what}: kho không nhận khóa / the store does not take this key.", hint="Check access_key and secret_key.") from error  # fmt: skip
            raise SourceError(
                f"{what}: kho không trả lời đúng / the store does not answer as it should ({type(error).__name__})."
            ) from error


def _facts(name: str, facts: Any) -> Lying:
    if facts["type"] != "file":
        raise SourceError(f"`{name}`: là thư mục, cần tệp / is a folder, expected a file.", hint=f"Write `{name}/*` to read its files.")
    modified: datetime | None = facts.get("mtime")
    return Lying(name, -1 if facts["size"] is None else facts["size"], None if modified is None else modified.timestamp())
