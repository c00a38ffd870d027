"""A ledger as it is served: its checkpoint and its tiles, by whatever fetches them. Proofs are made from tiles here, never taken on trust."""

from __future__ import annotations

from collections.abc import Callable

from lienthong.ledger.standalone import Note, Unproved, read_note
from lienthong.ledger.tiles import HASH, WIDTH, tiled_consistency_proof

Fetch = Callable[[str], bytes]  # a path under the log's address → what is there


def tile_path(level: int, number: int, width: int) -> str:
    """The address of a tile (C2SP tlog-tiles): `tile/0/x001/234`, with `.p/17` where it is not whole."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


class RemoteLog:
    """A served ledger."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def checkpoint(self) -> Note:
        """The note served now. Raises Unproved when it is none."""
        try:
            return read_note(self._fetch("checkpoint").decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Unproved("Điểm chốt không đọc được · the checkpoint is not UTF-8.") from error

    def consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """The proof between two sizes, made from tiles. Raises Unproved when a tile is too short."""

        def tile(level: int, number: int) -> bytes:
            width = min(WIDTH, (size >> (8 * level)) - number * WIDTH)
            hashes = self._fetch(tile_path(level, number, width))
            if len(hashes) != width * HASH:
                raise Unproved("Ô băm không đủ · a tile is too short.")
            return hashes

        try:
            return tiled_consistency_proof(old_size, size, tile)
        except (ValueError, IndexError) as error:
            raise Unproved("Sổ ngắn hơn điểm chốt của nó · the log is shorter than its checkpoint.") from error
