"""Workbooks as small as they come, numbers as Excel keeps them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

Row = Sequence[str | float | None]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(
    sheets: Mapping[str, Sequence[Row]],
    *,
    hidden: Collection[str] = (),
    more: str = "",
    texts: str | None = None,
    styles: str | None = None,
    is_1904: bool = False,
) -> bytes:
    """A file with these sheets.

    Args:
        sheets: names and rows.
        hidden: names of those that a person does not see.
        more: further rows of the last sheet, as they are in the file.
        texts: what is in its list of them.
        styles: what is in its styles.
        is_1904: days count from that year.
    """
    places = range(1, len(sheets) + 1)
    listed, known, types = [], [], []
    for place, name in zip(places, sheets, strict=True):
        state = ' state="hidden"' if name in hidden else ""
        listed.append(f'<sheet name={quoteattr(name)} sheetId="{place}" r:id="r{place}"{state}/>')
        known.append(f'<Relationship Id="r{place}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{place}.xml"/>')
        types.append(f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{KIND}.worksheet+xml"/>')
    lists = [("sharedStrings", "sst", texts), ("styles", "styleSheet", styles)]
    for kind, _, inner in lists:
        if inner is not None:
            known.append(f'<Relationship Id="{kind}" Type="{OFFICE}/{kind}" Target="/xl/{kind}.xml"/>')
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>{"".join(types)}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr date1904="{int(is_1904)}"/>'
        f"<sheets>{''.join(listed)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{''.join(known)}</Relationships>",
    }
    for place, rows in zip(places, sheets.values(), strict=True):
        data = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows) + more * (place == len(sheets))
        parts[f"xl/worksheets/sheet{place}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>'
        )
    for kind, tag, inner in lists:
        if inner is not None:
            parts[f"xl/{kind}.xml"] = f'<{tag} xmlns="{MAIN}">{inner}</{tag}>'
    return _zipped({name: f'<?xml version="1.0" encoding="UTF-8"?>{text}' for name, text in parts.items()})


def open_document(cell: str, rows: int, columns: int) -> bytes:
    """A sheet of LibreOffice's: this cell, and again in a row that is `rows` times there, behind empty ones."""
    names = " ".join(f'xmlns:{short}="{OASIS}:{short}:1.0"' for short in ("office", "table", "text"))
    filled = f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
    empty = f'<table:table-cell table:number-columns-repeated="{columns}"/>'
    again = f'<table:table-row table:number-rows-repeated="{rows}">{empty}{filled}</table:table-row>'
    return _zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{OASIS}:manifest:1.0"/>',
            "content.xml": f"<office:document-content {names}><office:body><office:spreadsheet>"
            f'<table:table table:name="Leads"><table:table-row>{filled}</table:table-row>{again}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )


def _zipped(parts: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value!r}</v></c>"
