"""R8, mineral and water licences: XML with its XSD."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.damage import Observer, unit_respelled, zeros_lost
from demo.province.rates import DUPLICATE_PERCENT, PERSONS_AT_FULL_SIZE
from demo.province.world import World, commune_text

FOLDER = "giay-phep"
AT_FULL_SIZE, LEAST = 1_900, 260
KINDS = (("khoang_san", "m3"), ("nuoc_mat", "m3/ngày"), ("nuoc_ngam", "m3/ngày"), ("xa_thai", "m3/ngày"))
XSD = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xs:element name="DanhSachGiayPhep">
    <xs:complexType><xs:sequence><xs:element ref="GiayPhep" maxOccurs="unbounded"/></xs:sequence><xs:attribute name="ky" type="xs:string"/></xs:complexType>
  </xs:element>
  <xs:element name="GiayPhep">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="ToChuc"><xs:complexType><xs:sequence><xs:element name="Ten" type="xs:string"/></xs:sequence>
          <xs:attribute name="maSoThue" type="xs:string"/></xs:complexType></xs:element>
        <xs:element name="NgayCap" type="xs:date"/>
        <xs:element name="HetHan" type="xs:date" minOccurs="0"/>
        <xs:element name="DiaDiem"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
          <xs:attribute name="maXa" type="xs:string"/><xs:attribute name="theoNgay" type="xs:date"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
        <xs:element name="KhoiLuong"><xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
          <xs:attribute name="donVi" type="xs:string" use="required"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
      </xs:sequence>
      <xs:attribute name="so" type="xs:string" use="required"/>
      <xs:attribute name="loai" use="required"><xs:simpleType><xs:restriction base="xs:string">
        <xs:enumeration value="khoang_san"/><xs:enumeration value="nuoc_mat"/><xs:enumeration value="nuoc_ngam"/><xs:enumeration value="xa_thai"/>
      </xs:restriction></xs:simpleType></xs:attribute>
    </xs:complexType>
  </xs:element>
</xs:schema>
"""


def write_licences(world: World, out: Path, enterprises: pl.DataFrame) -> Observer:
    draw = stream(world.seed, "R8", "licences")
    count = max(LEAST, round(AT_FULL_SIZE * world.persons.height / PERSONS_AT_FULL_SIZE))
    communes = draw.integers(0, len(world.communes), count)
    observer = Observer(world.seed, "R8", communes, len(world.communes))
    codes = [enterprises["tax_code"][int(n)] for n in draw.integers(0, enterprises.height, count)]
    names = dict(zip(enterprises["tax_code"].to_list(), enterprises["name"].to_list(), strict=True))
    written = list(codes)
    old_units = set(observer.rows("A2"))
    places = [commune_text(world.communes[c], is_new=row not in old_units) for row, c in enumerate(communes.tolist())]
    observer.damage(written, "tax_code", "I3", zeros_lost)
    observer.damage(places, "place", "A5", unit_respelled)
    rows = []
    for row in range(count):
        kind, unit = KINDS[row % len(KINDS)]
        commune, is_old = world.communes[communes[row]], row in old_units
        year = 2016 + row % 10
        volume = "không rõ" if row % 97 == 96 else f"{draw.uniform(50, 90_000):.1f}"  # now and then a row the schema refuses
        rows.append(
            f'  <GiayPhep so="{900_001 + row}/{year}/H10.10.TEST" loai="{kind}">\n'
            f"    <ToChuc maSoThue={quoteattr(written[row])}><Ten>{escape(names[codes[row]])}</Ten></ToChuc>\n"
            f"    <NgayCap>{year}-{1 + row % 12:02}-{1 + row % 28:02}</NgayCap>\n    <HetHan>{year + 5 + row % 15}-12-31</HetHan>\n"
            f'    <DiaDiem maXa="{commune["old_code" if is_old else "new_code"]}" theoNgay="{"2025-06-30" if is_old else "2025-07-01"}">{escape(places[row])}</DiaDiem>\n'
            f'    <KhoiLuong donVi="{unit}">{volume}</KhoiLuong>\n  </GiayPhep>\n'
        )
    rows += [rows[row] for row in np.flatnonzero(draw.random(count) < DUPLICATE_PERCENT["R8"] / 100).tolist()]
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "giay-phep.xsd").write_text(XSD, encoding="utf-8")
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<DanhSachGiayPhep ky="2026-06">\n' + "".join(rows) + "</DanhSachGiayPhep>\n"
    (folder / "giay-phep-2026-06.xml").write_text(text, encoding="utf-8")
    return observer
