"""XML: rows by short paths, schema violations find their row, nothing outside the document is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all

FIELDS = {"số": "SoGiayPhep", "loại": "@loai", "tên": "ChuGiayPhep/Ten", "mã số thuế": "ChuGiayPhep/MaSoThue", "ngày": "NgayCap"}
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="DanhSach"><xs:complexType><xs:sequence>
  <xs:element name="Ngay" type="xs:date" minOccurs="0"/>
  <xs:element name="GiayPhep" maxOccurs="unbounded" minOccurs="0"><xs:complexType><xs:sequence>
    <xs:element name="SoGiayPhep" type="xs:string"/><xs:element name="NgayCap" type="xs:date"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


def licence(number: int, extra: str = "") -> str:
    return f'<GiayPhep loai="khoáng sản">\n<SoGiayPhep>{number}/GP</SoGiayPhep><ChuGiayPhep><Ten>Công ty &amp; {number}</Ten><MaSoThue/></ChuGiayPhep>{extra}\n</GiayPhep>'


def write(folder: Path, body: str, name: str = "a.xml", head: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> Path:
    path = folder / name
    path.write_text(f"{head}{body}", encoding="utf-8")
    return path


def test_rows_attributes_and_nested_parts_are_read_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path, f'<g:DanhSach xmlns:g="urn:x"><g:Ngay/>\n{licence(1)}\n{licence(2)}</g:DanhSach>')
    reading = read_all(make_source("xml_file", path, row="GiayPhep", fields=FIELDS))
    assert list(reading.rows[0].values()) == ["1/GP", "khoáng sản", "Công ty & 1", "", None]
    assert reading.source_rows == [3, 6]
    check_resuming(make_source("xml_file", path, row="GiayPhep", fields=FIELDS), (1, 2))


def test_namespaces_of_rows_are_not_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path, '<DanhSach xmlns="urn:x"><GiayPhep><SoGiayPhep>7</SoGiayPhep></GiayPhep></DanhSach>')
    assert read_all(make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep"})).rows == [{"số": "7"}]


def test_a_value_given_twice_or_an_unknown_part_breaks_its_row(tmp_path: Path) -> None:
    path = write(tmp_path, f"<DanhSach>{licence(1, '<SoGiayPhep>x</SoGiayPhep>')}{licence(2, '<La/>')}{licence(3)}</DanhSach>")
    reading = read_all(make_source("xml_file", path, row="GiayPhep", fields=FIELDS, unknown="refuse"))
    assert [row.code for row in reading.broken] == ["row.repeated", "row.unknown"]
    assert [row["số"] for row in reading.rows] == ["3/GP"]


def test_schema_violations_wait_with_their_row_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text(XSD)
    good = "<GiayPhep><SoGiayPhep>1</SoGiayPhep><NgayCap>2026-01-31</NgayCap></GiayPhep>\n"
    bad = "<GiayPhep><SoGiayPhep>2</SoGiayPhep><NgayCap>31/01/2026</NgayCap></GiayPhep>\n"
    path = write(tmp_path, f"<DanhSach>\n{good}{bad}{good}</DanhSach>")
    source = make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep"}, xsd=str(tmp_path / "a.xsd"))
    reading = read_all(source)
    assert reading.source_rows == [3, 5]
    assert [(row.source_row, row.code) for row in reading.broken] == [(4, "row.xsd")]
    assert "31/01/2026" in reading.broken[0].text
    check_resuming(source, (1, 2))


def test_a_document_that_breaks_its_schema_outside_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text(XSD)
    path = write(tmp_path, "<DanhSach><Ngay>hôm nay</Ngay></DanhSach>")
    with pytest.raises(SourceError, match=r"does not keep its XSD: Element .Ngay"):
        read_all(make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep"}, xsd=str(tmp_path / "a.xsd")))


@pytest.mark.parametrize("with_xsd", [False, True])
def test_entities_that_reach_for_files_or_grow_without_end_are_refused(tmp_path: Path, *, with_xsd: bool) -> None:
    (tmp_path / "a.xsd").write_text(XSD)
    (tmp_path / "secret.txt").write_text("bí mật")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    heads = [
        f'<!DOCTYPE DanhSach [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>',
        f'<!DOCTYPE DanhSach [<!ENTITY l0 "ha">{laughs}]>',
        '<!DOCTYPE DanhSach SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ]
    options: dict[str, Any] = {"xsd": str(tmp_path / "a.xsd")} if with_xsd else {}
    for number, head in enumerate(heads):
        entity = ["&x;", "&l9;", ""][number]
        path = write(tmp_path, f"<DanhSach><GiayPhep><SoGiayPhep>{entity}</SoGiayPhep></GiayPhep></DanhSach>", f"{number}.xml", head)
        with pytest.raises(HostileInputError, match=f"{number}.xml"):
            read_all(make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep"}, **options))


def test_a_document_cut_off_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, f"<DanhSach>{licence(1)}\n<GiayPhep><SoGiay")
    with pytest.raises(SourceError, match="not well-formed"):
        read_all(make_source("xml_file", path, row="GiayPhep", fields=FIELDS))


def test_no_rows_are_an_empty_delivery_and_row_and_fields_are_required(tmp_path: Path) -> None:
    path = write(tmp_path, "<DanhSach/>")
    assert read_all(make_source("xml_file", path, row="GiayPhep", fields=FIELDS)).rows == []
    with pytest.raises(SourceError, match="`fields` is required"):
        read_all(make_source("xml_file", path, row="GiayPhep"))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "<a>" * 5000 + "</a>" * 5000)
    with pytest.raises(SourceError):
        read_all(make_source("xml_file", path, row="GiayPhep", fields=FIELDS))


@pytest.mark.parametrize("block", [7, 64, 300])
def test_violations_find_their_rows_wherever_blocks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("lienthong.connectors.xml_checked.READ_BYTES", block)
    (tmp_path / "a.xsd").write_text(XSD)
    lines = [
        f"<GiayPhep><SoGiayPhep>{n}</SoGiayPhep><NgayCap>{'x' if n % 5 == 0 else '2026-01-31'}</NgayCap></GiayPhep>" for n in range(1, 40)
    ]
    path = write(tmp_path, "<DanhSach>\n" + "\n".join(lines) + "\n</DanhSach>")
    reading = read_all(make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep"}, xsd=str(tmp_path / "a.xsd")))
    assert [row.source_row for row in reading.broken] == [n + 2 for n in range(5, 40, 5)]
    assert [row["số"] for row in reading.rows] == [str(n) for n in range(1, 40) if n % 5]


def test_the_wrong_schema_is_told_and_not_a_document_of_broken_rows(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text(XSD)
    path = write(tmp_path, f"<DanhSach>{'<GiayPhep/>' * 30}</DanhSach>")
    with pytest.raises(SourceError, match="more than 10 places"):
        read_all(make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep"}, xsd=str(tmp_path / "a.xsd"), max_violations=10))


PIECES = st.sampled_from([
    "<R><A>một</A><B><C>2</C></B></R>", '<R k="v &amp; w"><A/><B><C></C></B></R>\n', "<R>\n<B><C>x</C><D/></B><A>a &lt; b</A>\n</R>", "<R/>", '<R\nk="1"/>',
    "<R><A>x</A><A>y</A></R>", "<R><B><C>1</C></B><B><C>2</C></B></R>", "<R><B/><B><C>2</C></B></R>", "<R><A>x<!-- <R> --></A></R>", "<!-- <R><A>no</A></R> -->",
    "<!--", "-->", "<R><A><![CDATA[<R>]]></A></R>", "<![CDATA[", "]]>", "<?pi <R></R>?>", "<G>", "</G>", "<R><A>&#65;</A></R>", "<R><A>&x;</A></R>", "<R><A>a>b</A></R>",
    "<R><A>\r\n</A></R>", "<R><A>\x01</A></R>", "<R><A>]]></A></R>", '<R k="a" k="b"/>', "<R k='\"\t>'><A>q</A></R>", '<R xmlns:p="urn:p"><p:A>p</p:A></R>', "<p:R><p:A>u</p:A></p:R>",
    "<g:R g:k='n'><g:A>g</g:A></g:R>", "<R><R><A>in</A></R></R>", "<R><A>x</B></R>", "<R><A>", "</R>", "chữ", "\n\n", "<R><A>\ufffe</A></R>", "<R><E><A>deep</A></E></R>", "<R><1/></R>",
    "<R><Á>lạ</Á><A>x</A></R>", "<R><A a = 'x' >s</A ></R >", "<R xml:lang='vi'><A>l</A></R>", "<R><A>x</A>text<B>y</B></R>", "<a/>",
])  # fmt: skip


@given(
    pieces=st.lists(PIECES, max_size=12), first=st.integers(5, 60), size=st.integers(9, 200), is_strict=st.booleans(), closes=st.booleans()
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_read_by_the_block_are_those_the_parser_reads(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], first: int, size: int, *, is_strict: bool, closes: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "any.xml"
    path.write_bytes(
        ("<DS xmlns:g='urn:g'><R><A>first</A></R>" + "".join(pieces) + ("</DS>" if closes else "")).encode("utf-8", "surrogatepass")
    )
    source = make_source(
        "xml_file", path, row="R", fields={"k": "@k", "a": "A", "c": "B/C", "again": "A"}, unknown="refuse" if is_strict else "ignore"
    )

    def outcome() -> Any:
        try:
            reading = read_all(source, 3)
        except SourceError:
            return "refused"
        return reading.rows, reading.source_rows, reading.broken, [batch.position for batch in reading.batches]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lienthong.connectors.xml_file.FIRST_BYTES", first)
        patch.setattr("lienthong.connectors.xml_file.PLAIN_BYTES", size)
        patch.setattr("lienthong.connectors.xml_file.LEAST_BYTES", 20)
        by_block = outcome()
        patch.setattr("lienthong.connectors.xml_file.can_read", lambda _: False)
        assert by_block == outcome()


def test_a_large_plain_document_keeps_lines_order_and_places(tmp_path: Path) -> None:
    rows = [
        f'<GiayPhep loai="{n % 7}">\n<SoGiayPhep>{n}</SoGiayPhep>' + ("<!-- ghi chú -->" if n % 997 == 0 else "") + "</GiayPhep>\n"
        for n in range(40_000)
    ]
    path = write(tmp_path, "<DanhSach>\n" + "".join(rows) + "</DanhSach>")
    reading = read_all(make_source("xml_file", path, row="GiayPhep", fields={"số": "SoGiayPhep", "loại": "@loai", "không": "X"}), 7_000)
    assert reading.rows == [{"số": str(n), "loại": str(n % 7), "không": None} for n in range(40_000)]
    assert reading.source_rows[:30_000] == [3 + 2 * n for n in range(30_000)]
