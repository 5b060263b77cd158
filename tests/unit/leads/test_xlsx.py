"""Cells of Excel's workbooks are read one after the other, as a person sees them."""

from __future__ import annotations

import tracemalloc
import zipfile
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workbook import MAIN, Row, workbook
from wafast.leads import files, other_workbooks, xlsx

ALIKE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
NUMBERS = st.integers(-(10**17), 10**17).map(float) | st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is put."""
    return tmp_path / "file"


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    with xlsx.Workbook(path) as book:
        return list(book.rows(book.sheets[0]))


@ALIKE
@given(st.lists(st.lists(st.none() | WORDS | NUMBERS, max_size=4), min_size=1, max_size=4))
def test_another_reader_sees_the_same(path: Path, rows: list[Row]) -> None:
    path.write_bytes(workbook({"Sheet1": rows}))
    with other_workbooks.Workbook(path) as book:
        wanted = [(line, [cell for cell in row if cell]) for line, row in book.rows("Sheet1")]
    found = [(line, [cell for cell in row if cell]) for line, row in _rows(path)]
    assert [row for row in found if row[1]] == [row for row in wanted if row[1]]


@pytest.mark.parametrize("is_1904", [False, True])
@pytest.mark.parametrize("value", ["45000.5", "45000", "0.25", "0", "1", "59", "60", "61.75", "45000.999999999", "3e6"])
def test_another_reader_sees_the_same_dates(path: Path, value: str, is_1904: bool) -> None:
    own = (
        "[h]:mm",
        "yyyy-mm-dd;@",
        '0 "days"',
        "[Red]0.00",
        r"[$-409]d\-mmm\-yy",
        r"\d0",
        "0.00E+00",
        "[mm]:ss",
        "General",
    )
    formats = [*range(82), *range(200, 200 + len(own))]
    named = "".join(f"<numFmt numFmtId='{200 + at}' formatCode='{code}'/>" for at, code in enumerate(own))
    used = "".join(f'<xf numFmtId="{one}"/>' for one in formats)
    cells = "".join(f'<c s="{at}"><v>{value}</v></c>' for at in range(len(formats)))
    styles = f'<numFmts>{named}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>{used}</cellXfs>'
    path.write_bytes(workbook({"Sheet1": []}, more=f"<row>{cells}</row>", styles=styles, is_1904=is_1904))
    with other_workbooks.Workbook(path) as book:
        assert _rows(path) == list(book.rows("Sheet1"))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('<c t="s"><v>0</v></c>', "hi"),
        ('<c t="s"><v>1</v></c>', "two runs"),
        ('<c t="s"><v>2</v></c>', "a\r😀&\nz"),
        ('<c t="inlineStr"><is><r><t>a</t></r><r><t> b</t></r><rPh><t>spoken</t></rPh></is></c>', "a b"),
        ('<c t="str"><f>A1 &amp; "x"</f><v> made </v></c>', "made"),
        ('<c t="e"><v>#N/A</v></c>', ""),
        ('<c t="b"><v>1</v></c>', "true"),
        ('<c t="d"><v>2026-01-02T03:04:05</v></c>', "2026-01-02 03:04:05"),
        ("<c><v>60123456789</v></c>", "60123456789"),
        ("<c><v>6.0123456789E10</v></c>", "60123456789"),
        ("<c><v>abc</v></c>", "abc"),
        (f'<x:c xmlns:x="{MAIN}"><x:v>7</x:v></x:c>', "7"),
    ],
)
def test_a_cell_is_read_as_a_person_sees_it(path: Path, cell: str, shown: str) -> None:
    texts = (
        '<si><t xml:space="preserve"> hi </t></si><si><r><t>two</t></r><r><rPr/><t> runs</t></r>'
        "<rPh><t>no</t></rPh></si>"
        "<si><t>a_x000D__xD83D__xDE00_&amp;&#10;z</t></si>"
    )
    path.write_bytes(workbook({"Sheet1": []}, more=f"<row>{cell}<c><v>1</v></c></row>", texts=texts))
    assert _rows(path) == [(1, [shown, "1"])]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('<row><c t="s"><v>5</v></c></row>', "the text 6 of 1"),
        ('<row r="3"/><row r="3"/>', "row 3 stands below row 3"),
        ('<row><c r="XFE1"><v>1</v></c></row>', "more than 16384 cells"),
        ('<row><c r="12"><v>1</v></c></row>', "no column"),
        ('<row><c t="odd"><v>1</v></c></row>', "unknown kind"),
        ("<row><c>", "it is damaged, or only a part of it came"),
    ],
    ids=["text", "order", "wide", "column", "kind", "cut"],
)
def test_a_broken_sheet_says_what_is_wrong(path: Path, more: str, why: str) -> None:
    path.write_bytes(workbook({"Sheet1": [["phone"]]}, more=more, texts="<si><t>a</t></si>"))
    shape = files.Shape(format="workbook", header=False, columns=[])
    with pytest.raises(files.NotReadable, match=f"the workbook can't be read: .*{why}"):
        list(files.rows(path, shape))


def test_entities_are_not_unfolded(path: Path) -> None:
    path.write_bytes(workbook({"Sheet1": [["phone"]]}))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text.replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY x "boom">]><worksheet'))
    with pytest.raises(files.NotReadable, match="declares entities"):
        files.look(path)


def test_a_cell_far_from_all_others_costs_nothing_and_empty_columns_at_the_left_are_none(path: Path) -> None:
    rows: list[Row] = [[None, "Nama", "Telefon"], *[[None, None, f"01234567{number}"] for number in range(10, 90)]]
    path.write_bytes(workbook({"Sheet1": rows}, more='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))
    shape = files.look(path)
    assert [one.name for one in shape.columns] == ["Nama", "Telefon"]
    found = list(files.rows(path, shape))
    assert found[0] == (2, ["", "0123456710"])
    assert len(found) == 80


def test_memory_does_not_grow_with_the_rows(path: Path) -> None:
    count = 40_000
    texts = "".join(f"<si><t>Customer number {number}</t></si>" for number in range(count))
    more = "".join(f'<row><c t="s"><v>{number}</v></c><c><v>{number}</v></c></row>' for number in range(count))
    path.write_bytes(workbook({"Sheet1": []}, more=more, texts=texts))
    tracemalloc.start()
    try:
        with xlsx.Workbook(path) as book:
            last = next(islice(book.rows("Sheet1"), count - 1, None))
            assert last == (
                count,
                [f"Customer number {count - 1}", f"{count - 1}"],
            )
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # the texts alone are 3 MB as Python has them
    assert most < 2_000_000
