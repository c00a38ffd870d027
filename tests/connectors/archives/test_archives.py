"""Files in archives: read as if they lay there, and none of the tricks archives are used for."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import py7zr
import pytest

from lienthong.connectors import ReadContext, archive, get_connector
from lienthong.connectors.folder import Packed
from lienthong.connectors.secrets import Variables
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.folders import peak_of
from tests.connectors.reading import Reading, check_resuming

CSV = "mã;giá trị\n{0};1\n{0};2\n"


def packed(name: Path, files: dict[str, str | bytes], **how: Any) -> Path:
    if name.suffix == ".7z":
        with py7zr.SevenZipFile(name, "w", **how) as archive:
            for member, content in files.items():
                archive.writestr(content, member)
        return name
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return name


def source_of(location: Path | str, member: str = "*.csv", delivery: Delivery = Delivery.SNAPSHOT, **more: Any) -> Source:
    return Source("file", "csv_file", str(location), delivery, {"folder": {"member": member, **more}})


def read(source: Source, tmp_path: Path, **variables: str) -> Reading:
    context = ReadContext(Variables(variables), 1000, spool=tmp_path / "spool")
    found = Reading(tuple(get_connector("csv_file").read(source, context)))
    assert {path.name for path in (tmp_path / "spool").rglob("*") if path.is_file()} == {"busy"}
    return found


@pytest.mark.parametrize("ending", ["zip", "7z"])
def test_members_are_read_in_order_of_name_and_reading_goes_on_between_them(tmp_path: Path, ending: str) -> None:
    archive = packed(
        tmp_path / f"gói.{ending}", {"b.csv": CSV.format("b"), "đọc.txt": "no", "a.csv": CSV.format("a"), "sâu/c.csv": CSV.format("c")}
    )
    source = source_of(archive)
    found = read(source, tmp_path)
    assert [row["mã"] for row in found.rows] == ["a", "a", "b", "b"]
    assert [batch.file.uri for batch in found.batches] == [f"gói.{ending}!a.csv", f"gói.{ending}!b.csv"]
    check_resuming(source, (1, 3))
    assert len(read(source_of(archive, "**/*.csv"), tmp_path).rows) == 6


def test_archives_inside_an_archive_are_opened_once_where_the_pattern_says_so(tmp_path: Path) -> None:
    inner = packed(tmp_path / "trong.zip", {"a.csv": CSV.format("a")}).read_bytes()
    outer = packed(tmp_path / "ngoài.7z", {"trong.zip": inner})
    found = read(source_of(outer, "*.zip!*.csv"), tmp_path)
    assert found.batches[0].file.uri == "ngoài.7z!trong.zip!a.csv"
    with pytest.raises(SourceError, match="an archive inside an archive"):
        read(source_of(outer, "*"), tmp_path)
    deeper = packed(tmp_path / "sâu.zip", {"giữa.zip": packed(tmp_path / "giữa.zip", {"trong.zip": inner}).read_bytes()})
    with pytest.raises(HostileInputError, match="never deeper"):
        read(source_of(deeper, "*.zip!*.zip"), tmp_path)
    with pytest.raises(SourceError, match="at most one `!`"):
        read(source_of(deeper, "*.zip!*.zip!*.csv"), tmp_path)


def test_a_member_whose_name_ends_like_another_s_is_itself(tmp_path: Path) -> None:
    seven = packed(tmp_path / "gói.7z", {"b.csv": CSV.format("b"), "ab.csv": CSV.format("dài hơn"), "sâu/b.csv": CSV.format("sâu")})
    found = read(source_of(seven, "**/*.csv"), tmp_path)
    assert {batch.file.uri: batch.table["mã"][0].as_py() for batch in found.batches} == {
        "gói.7z!ab.csv": "dài hơn", "gói.7z!b.csv": "b", "gói.7z!sâu/b.csv": "sâu",
    }  # fmt: skip


def test_a_way_of_packing_that_is_not_read_is_not_told_as_a_wrong_password(tmp_path: Path) -> None:
    archive = packed(tmp_path / "lạ.zip", {"a.csv": CSV.format("a")})
    content = bytearray(archive.read_bytes())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(mark) + place : content.index(mark) + place + 2] = struct.pack("<H", 98)  # PPMd
    archive.write_bytes(content)
    with pytest.raises(SourceError, match="packed or encrypted in a way that is not read"):
        read(source_of(archive), tmp_path)


def test_bombs_are_refused_before_they_grow(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bom.zip", {"a.csv": b"0" * (72 << 20)})
    with pytest.raises(HostileInputError, match="unpacks to more than"):
        read(source_of(bomb), tmp_path)
    big = packed(tmp_path / "to.zip", {"a.csv": CSV.format("a"), "b.csv": CSV.format("b")})
    with pytest.raises(HostileInputError, match="unpacks to more than"):
        read(source_of(big, max_unpacked_bytes=30), tmp_path)
    with pytest.raises(HostileInputError, match="more than 1 members"):
        read(source_of(big, max_members=1), tmp_path)
    seven = packed(tmp_path / "to.7z", {"a.csv": CSV.format("a"), "b.csv": CSV.format("b")})
    with pytest.raises(HostileInputError, match="unpacks to more than"):
        read(source_of(seven, max_unpacked_bytes=30), tmp_path)


def test_a_size_that_lies_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path / "dối.zip", {"a.csv": CSV.format("a")})
    content = bytearray(archive.read_bytes())
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 5)
    archive.write_bytes(content)
    with pytest.raises(SourceError, match=r"says 5 bytes|damaged"):
        read(source_of(archive), tmp_path)


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "C:\\a.csv", "x/../../a.csv", "x\\..\\..\\a.csv"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "mẹo.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        opened.writestr(entry, CSV.format("a"))
    with pytest.raises(HostileInputError, match="leads out of its folder"):
        read(source_of(archive, "**"), tmp_path)


def test_links_and_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "liên-kết.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        entry = zipfile.ZipInfo("a.csv")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(entry, "/etc/passwd")
    with pytest.raises(HostileInputError, match="is a link"):
        read(source_of(archive), tmp_path)
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.csv", CSV.format("a"))
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr("a.csv", CSV.format("b"))
    with pytest.raises(HostileInputError, match="two of its members"):
        read(source_of(archive), tmp_path)


def test_a_link_in_7z_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/etc/passwd")
    archive = tmp_path / "liên-kết.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.write(tmp_path / "a.csv", "a.csv")
    with pytest.raises(HostileInputError, match="is a link"):
        read(source_of(archive), tmp_path)


def test_an_archive_with_a_password_is_read_with_the_secret_and_refused_without(tmp_path: Path) -> None:
    archive = packed(tmp_path / "khóa.7z", {"a.csv": CSV.format("a")}, password="mật-khẩu")
    with pytest.raises(SourceError, match="protected by a password"):
        read(source_of(archive), tmp_path)
    assert len(read(source_of(archive, member_password="${ZIP}"), tmp_path, ZIP="mật-khẩu").rows) == 2
    with pytest.raises(SourceError, match="password is wrong") as told:
        read(source_of(archive, member_password="${ZIP}"), tmp_path, ZIP="nhầm-rồi")
    assert "nhầm-rồi" not in str(told.value)


@pytest.mark.parametrize(("name", "shown"), [
    ("dân sô\u0301.csv".encode("cp1258"), "dân số.csv"),  # whole letters, tones as marks that follow
    ("dân số.csv".encode(), "dân số.csv"),
    ("Größe.csv".encode("cp437"), "Größe.csv"),
])  # fmt: skip
def test_names_in_dead_encodings_are_read_as_they_were_meant(tmp_path: Path, name: bytes, shown: str) -> None:
    plain = packed(tmp_path / "x.zip", {"x" * len(name): CSV.format("a")}).read_bytes()
    (tmp_path / "tên.zip").write_bytes(plain.replace(b"x" * len(name), name))
    assert read(source_of(tmp_path / "tên.zip"), tmp_path).batches[0].file.uri == f"tên.zip!{shown}"


@pytest.mark.parametrize("ending", ["zip", "7z"])
def test_half_an_archive_is_told_as_such(tmp_path: Path, ending: str) -> None:
    archive = packed(tmp_path / f"nửa.{ending}", {"a.csv": bytes(range(256)) * 400})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"damaged|cut off"):
        read(source_of(archive), tmp_path)
    (tmp_path / "không.zip").write_text("mã;giá trị\n", encoding="utf-8")
    with pytest.raises(SourceError, match="neither a ZIP nor a 7z"):
        read(source_of(tmp_path / "không.zip"), tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_archive_never_does_worse_than_be_refused(tmp_path: Path, seed: int) -> None:
    content = bytearray(packed(tmp_path / f"a.{('zip', '7z')[seed % 2]}", {"a.csv": CSV.format("a") * 50}).read_bytes())
    for n in range(1 + seed // 4):
        place = zlib.crc32(f"{seed}-{n}".encode()) % len(content)
        content[place] ^= 1 + zlib.crc32(f"{n}-{seed}".encode()) % 255
    damaged = tmp_path / f"hỏng.{('zip', '7z')[seed % 2]}"
    damaged.write_bytes(content)
    with suppress(SourceError):
        read(source_of(damaged), tmp_path)


def test_a_7z_that_is_packed_tightly_is_unpacked_in_small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, inside = tmp_path / "a.7z", tmp_path / "a.csv"
    inside.write_bytes(b"ma,ten\n" + b"".join(b"%09d,Nguyen Van %d\n" % (n, n % 9000) for n in range(2_000_000)))
    with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 1}]) as packed:
        packed.write(inside, "a.csv")
    pieces: list[int] = []
    write = archive._Sink.write

    def measured(sink: archive._Sink, piece: bytes) -> int:
        pieces.append(len(piece))
        return write(sink, piece)

    monkeypatch.setattr(archive._Sink, "write", measured)
    (tmp_path / "into").mkdir()
    (member,) = archive.unpack(path, "a.7z", Packed("*.csv", max_bytes=1 << 30, max_members=10), tmp_path / "into")
    assert member.path.read_bytes() == inside.read_bytes()
    assert max(pieces) < 8 << 20


def test_a_mass_of_empty_members_costs_nothing(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for n in range(12_000):
            archive.writestr(f"{n}.csv", b"")
    (tmp_path / "nhiều.zip").write_bytes(buffer.getvalue())
    with pytest.raises(HostileInputError, match="more than 10000 members"):
        read(source_of(tmp_path / "nhiều.zip"), tmp_path)


def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for megabytes in (4, 24):
        lines = ("mã;giá trị\n" + "".join(f"{n};{n * 7919 % 1_000_003:0990d}\n" for n in range(megabytes * 1000))).encode()
        archive = packed(tmp_path / f"{megabytes}.7z", {"a.csv": lines}, filters=[{"id": py7zr.FILTER_ZSTD}])
        rows, peak = peak_of(source_of(archive), tmp_path / "spool")
        assert rows == megabytes * 1000
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 60, peaks  # what the packer looks back on
