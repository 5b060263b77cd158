"""A table as a workbook of Excel's, with its texts in a list of their own as Excel has them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n'


def save(file: Path, rows: Iterable[Sequence[str]]) -> None:
    """Writes the file; a cell without text is none."""
    texts: dict[str, int] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parts:
        parts.writestr(
            "xl/workbook.xml",
            f'{BEGIN}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Leads" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>",
        )
        parts.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{BEGIN}<Relationships xmlns="{PACKAGE}">'
            f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        )
        with parts.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'{BEGIN}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for line, row in enumerate(rows, 1):
                cells = [
                    f'<c r="{chr(65 + column)}{line}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'
                    for column, text in enumerate(row)
                    if text
                ]
                sheet.write(f'<row r="{line}">{"".join(cells)}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        with parts.open("xl/sharedStrings.xml", "w", force_zip64=True) as listed:
            listed.write(f'{BEGIN}<sst xmlns="{MAIN}">'.encode())
            for text in texts:
                listed.write(f"<si><t>{escape(text)}</t></si>".encode())
            listed.write(b"</sst>")
