"""Files of rows: whatever comes is read or refused, and never anything else."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workbook import workbook
from wafast.leads import columns, files
from wafast.leads.tags import tags

ALIKE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is put."""
    return tmp_path / "file"


@ALIKE
@given(
    st.binary(max_size=300)
    | st.sampled_from([b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xef\xbb\xbf"]).flatmap(
        lambda start: st.binary(max_size=200).map(lambda rest: start + rest)
    )
)
def test_any_bytes_are_read_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        shape = files.look(path)
        mapping = ["phone", *[""] * (len(shape.columns) - 1)]
        reader = columns.Reader(mapping, "MY", "Asia/Kuala_Lumpur", {})
        for line, row in files.rows(path, shape):
            try:
                reader.read(line, row)
            except columns.Refused as error:
                assert "\0" not in error.value
    except files.NotReadable as error:
        assert str(error)


@pytest.mark.parametrize("end", [b"\n", b""], ids=["a line's end", "no end"])
def test_a_quotation_mark_that_is_never_closed_swallows_nobody_in_silence(path: Path, end: bytes) -> None:
    path.write_bytes(b'name,phone\nAli,0123456781\n"Abu,0123456782\nSiti,0123456783' + end)
    with pytest.raises(files.NotReadable, match="row 3 goes on to the end of the file"):
        files.look(path)


@ALIKE
@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read(path: Path, cells: list[list[str]], delimiter: str, encoding: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a name", "a phone"], *cells])
    path.write_bytes(text.getvalue().encode(encoding))
    shape = files.Shape(format="csv", encoding=encoding, delimiter=delimiter, header=True, columns=[])
    wanted = [[one.strip() for one in row] for row in cells]
    assert [row for _, row in files.rows(path, shape)] == [row for row in wanted if any(row)]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("gbk", ["陈美玲", "李小明 Lee", "Mueller", "黄建国"]),
        ("cp1252", ["José", "Müller", "Noël d’Été", "Åse", "Çelik"]),
        ("cp1252", ["Zoë Château", "Señor", "Ahmad"]),
        ("cp1252", ["Größe", "Müßig", "Ahmad"]),
    ],
)
def test_a_file_of_an_older_windows_has_its_letters(path: Path, encoding: str, names: list[str]) -> None:
    path.write_bytes("".join(f"{name},012345678{place}\r\n" for place, name in enumerate(names)).encode(encoding))
    shape = files.look(path)
    assert [cells[0] for _, cells in files.rows(path, shape)] == names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\r\n', "SEP=; \n"])
def test_a_first_line_that_names_the_separator_is_no_row(path: Path, encoding: str, line: str) -> None:
    path.write_bytes(f"{line}name;phone\r\nÄnne, the first;0123456781\r\n".encode(encoding))
    shape = files.look(path)
    assert [shape.delimiter, shape.header, *(one.name for one in shape.columns)] == [";", True, "name", "phone"]
    assert list(files.rows(path, shape)) == [(2, ["Änne, the first", "0123456781"])]


@pytest.mark.parametrize("size", [131_073, 2_000_000])
@pytest.mark.parametrize("kind", ["phone", "name", "niche", "target_status", "device", "field:city"])
def test_a_cell_beyond_all_measure_is_a_mistake_of_its_row_alone(path: Path, kind: str, size: int) -> None:
    long, row = "x" * size, {"phone": "0123456782", kind: "x" * size}
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n{','.join(['0123456781'] + [''] * (len(row) - 1))}\n")
    shape = files.look(path)
    reader = columns.Reader(list(row), "MY", "Asia/Kuala_Lumpur", {})
    first, second = [one for _, one in files.rows(path, shape)]
    with pytest.raises(columns.Refused) as refused:
        reader.read(2, first)
    assert long.startswith(refused.value.value)
    assert len(str(refused.value)) + len(refused.value.value) < 1000
    assert reader.read(3, second).phone == "+60123456781"


TABLE = [["Nama", "Telefon"], ["Jürgen", "0123456781"], ["陈大文", "0123456782"]]


@pytest.mark.parametrize(
    ("above", "begins"),
    [([], 1), ([[], []], 3), ([["Pelanggan, Mac 2026"]], 2), ([["Pelanggan"], [], ["from the shop", ""], []], 5)],
    ids=["nothing", "empty rows", "a title", "a title and a remark"],
)
@pytest.mark.parametrize("kind", ["csv", "workbook"])
def test_the_table_begins_below_a_title_and_empty_rows(
    path: Path, kind: str, above: list[list[str]], begins: int
) -> None:
    if kind == "workbook":
        path.write_bytes(workbook({"Sheet1": [*above, *TABLE]}))
    else:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([*above, *TABLE])
        path.write_text(text.getvalue(), "utf-8")
    shape = files.look(path)
    assert (shape.begins, shape.header, [one.name for one in shape.columns]) == (begins, True, TABLE[0])
    assert list(files.rows(path, shape)) == [(begins + 1, TABLE[1]), (begins + 2, TABLE[2])]


@pytest.mark.parametrize(
    "table",
    [[["0123456781"], ["0123456782", "Siti"]], [["0123456781", ""], ["Phone", "Name"]]],
    ids=["short", "header"],
)
def test_a_number_that_stands_alone_is_no_title(path: Path, table: list[list[str]]) -> None:
    path.write_bytes(workbook({"Sheet1": table}))
    shape = files.look(path)
    assert [line for line, _ in files.rows(path, shape)] == [1, 2]


@pytest.mark.parametrize(
    ("rows", "begins"),
    [
        ([["Contact", "", "Address"], ["Nama", "Telefon", "City"], ["Siti", "0123456781", "KL"]], 2),
        ([["Nama", "Telefon", "City"], ["Siti", "", "KL"], ["Ali", "0123456781", "KL"]], 1),
        ([["Nama", "", "Telefon"], ["Siti", "vip", "0123456781"]], 1),
    ],
    ids=["merged cells above", "nobody's number", "a column without a name"],
)
def test_names_of_columns_stand_below_merged_cells(path: Path, rows: list[list[str]], begins: int) -> None:
    path.write_bytes(workbook({"Sheet1": rows}))
    shape = files.look(path)
    assert (shape.begins, [one.name for one in shape.columns if one.name in rows[begins - 1]]) == (
        begins, [name for name in rows[begins - 1] if name],
    )  # fmt: skip


PEOPLE: list[list[str | float]] = [["Phone"], [60123456781]]


@pytest.mark.parametrize(
    ("sheets", "hidden", "wanted", "read"),
    [
        ({"Cover": [], "People": PEOPLE, "Old": [["x"]]}, (), "", "People"),
        ({"Lists": [["KL"]], "People": PEOPLE}, ("Lists",), "", "People"),
        ({"People": PEOPLE}, ("People",), "", "People"),
        ({"People": PEOPLE, "Old": [["Name"], ["Siti"]]}, (), "Old", "Old"),
    ],
    ids=["an empty cover", "a hidden list", "none is seen", "the wanted one"],
)
def test_of_a_workbook_the_first_sheet_with_rows_is_read_or_the_wanted_one(
    path: Path, sheets: dict[str, list[list[str | float]]], hidden: tuple[str, ...], wanted: str, read: str
) -> None:
    path.write_bytes(workbook(sheets, hidden=hidden))
    shape = files.look(path, wanted)
    assert (shape.sheet, shape.columns[0].name) == (read, sheets[read][0][0])
    assert shape.sheets == [name for name in sheets if name not in hidden or len(sheets) == 1]


def test_a_workbook_without_the_wanted_sheet_or_without_rows_is_not_read(path: Path) -> None:
    path.write_bytes(workbook({"People": PEOPLE, "Old": []}))
    with pytest.raises(files.NotReadable, match="no sheet 'Nowhere'; it has 'People', 'Old'"):
        files.look(path, "Nowhere")
    path.write_bytes(workbook({"A": [], "B": []}))
    with pytest.raises(files.NotReadable, match="no rows"):
        files.look(path)


def _zipped(*names: str, kind: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, kind if name == "mimetype" else "<x/>")
    return made.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n1,0123456789\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\nphone,0123456789\n", "a picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF,0123456789\n", "a picture"),
        (b"\x1f\x8b\x08phone\n0123456789\n", "a compressed archive"),
        (b"\n<!DOCTYPE html><table><tr><td>0123456789</td></tr></table>", "a web page or XML"),
        (b'[{"phone": "0123456789"}]', "JSON"),
        (b"BEGIN:VCARD\nTEL:0123456789\nEND:VCARD\n", "an address book"),
        (_zipped("phones.csv"), "a ZIP archive"),
        (_zipped("word/document.xml"), "a Word document"),
        (_zipped("Index/Document.iwa"), "a file of Apple's Numbers"),
        (_zipped("mimetype", "content.xml", kind="application/vnd.oasis.opendocument.text"), "a document of another"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a workbook locked with a password"),
        (OLE + "WordDocument".encode("utf-16-le"), "a Word document"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(32)) * 8 + b"phone,0123456789\n", "no text"),
    ],
)
def test_what_is_no_table_is_told_what_it_is(path: Path, content: bytes, what: str) -> None:
    path.write_bytes(content)
    with pytest.raises(files.NotReadable, match=f"the file is {what}.*save it as CSV"):
        files.look(path)


@pytest.mark.parametrize("content", [b"Name,Phone\n", workbook({"A": [["Name", "Phone"]]})])
def test_names_of_columns_without_a_row_are_no_table(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(files.NotReadable, match="no rows below"):
        files.look(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut", OLE, workbook({"A": [["phone"]]})[:-30]])
def test_a_damaged_workbook_is_told_so_without_a_librarys_words(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(files.NotReadable) as refused:
        files.look(path)
    assert str(refused.value) == files.DAMAGED


@pytest.mark.parametrize(
    "content",
    [
        b"phone,name\n012345\x006789,Si\x00ti\n" + bytes(4096),
        "phone,name\n0123456789,Siti\n".encode("utf-16"),
        "phone,name\n0123456789,Siti\n".encode("utf-16-le"),
        b"<phone>,name\n0123456789,Siti\n",
        b"[phone],name\n0123456789,Siti\n",
    ],
    ids=["nuls", "utf-16", "utf-16 without mark", "angles", "brackets"],
)
def test_odd_text_is_a_table_still(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert [row for _, row in files.rows(path, files.look(path))] == [["0123456789", "Siti"]]


def test_a_workbook_that_is_huge_once_it_is_unpacked_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(workbook({"People": [["phone"], ["0123456789"]]}))
    assert files.look(path).columns[0].name == "phone"
    monkeypatch.setattr(files, "MOST_UNPACKED", 1000)
    with pytest.raises(files.NotReadable, match="when it is unpacked, and at most"):
        files.look(path)


def test_columns_are_proposed_by_what_they_are_called_and_by_what_is_in_them() -> None:
    def column(name: str, *examples: str) -> files.Column:
        return files.Column(name, list(examples))

    named = [column("Nama Penuh", "Siti"), column("No. Telefon", "1"), column("City", "Ipoh"), column("Empty")]
    assert columns.proposed(named) == ["name", "phone", "field:city", ""]
    assert columns.proposed([column("姓名", "陈大文"), column("手机号码", "1")]) == ["name", "phone"]
    bare = [column("Column 1", "Siti"), column("Column 2", "012-345 6789", "0123456780")]
    assert columns.proposed(bare) == ["", "phone"]
    assert columns.proposed([column("x"), column("y")]) == ["", ""]


def test_a_column_that_is_called_a_contact_and_holds_names_is_not_the_phone_number() -> None:
    def proposed(**found: list[str]) -> list[str]:
        return columns.proposed([files.Column(name, examples) for name, examples in found.items()])

    numbers = ["012-345 6789", "+60123456780"]
    assert proposed(Contact=["Mr Tan", "Siti"], No_Tel=numbers) == ["field:contact", "phone"]
    assert proposed(Number=["1", "2"], Reach=numbers) == ["field:number", "phone"]
    assert proposed(Phone=numbers, Mobile=numbers) == ["phone", "field:mobile"]
    assert proposed(Contact=["Mr Tan"], Nama_Pelanggan=["Siti"]) == ["phone", "name"]


def test_a_sheet_of_remarks_before_the_table_is_not_the_one_that_is_read(path: Path) -> None:
    remarks: list[list[str | float]] = [["How to use this file"], [], ["Fill in the next sheet"]]
    path.write_bytes(workbook({"Read me": remarks, "People": [["phone", "name"], ["0123456789", "Siti"]]}))
    assert files.look(path).sheet == "People"
    path.write_bytes(workbook({"Read me": remarks, "Numbers": [["phone"], ["0123456789"]]}))
    assert files.look(path).sheet == "Numbers"


def test_tags_are_stored_as_they_compare() -> None:
    assert tags([" KL", "kl ", "", "Straße", "STRASSE", "vip"]) == ["kl", "strasse", "vip"]


def test_columns_of_one_name_are_fields_of_their_own() -> None:
    found = [files.Column(name, ["x"]) for name in ("Phone", "City", "CITY", "City")]
    mapping = columns.proposed(found)
    assert mapping == ["phone", "field:city", "field:city 2", "field:city 3"]
    columns.check(mapping, found)


def test_a_number_with_a_decimal_nobody_wrote_is_read() -> None:
    reader = columns.Reader(["phone"], "MY", "Asia/Kuala_Lumpur", {})
    for written in ("60123456789.0", "60123456789.00"):
        assert reader.read(2, [written]).phone == "+60123456789"
    with pytest.raises(columns.Refused):
        reader.read(3, ["60123456789.5"])


def test_a_row_whose_number_can_not_be_is_told_with_the_reason() -> None:
    reader = columns.Reader(["phone"], "MY", "Asia/Kuala_Lumpur", {})
    for written, why in (("+60125550", "too short for a number of +60"), ("012-345 6789 ext 5", "has letters in it")):
        with pytest.raises(columns.Refused, match=re.escape(why)) as refused:
            reader.read(2, [written])
        assert refused.value.value == written


def test_a_lead_gets_no_more_tags_and_fields_than_it_can_have() -> None:
    reader = columns.Reader(["phone", "niche"], "MY", "Asia/Kuala_Lumpur", {}, ["expo"])
    words = [f"tag {number}" for number in range(100)]
    assert len(reader.read(2, ["0123456781", ",".join(words[:99])]).tags) == 100
    with pytest.raises(columns.Refused, match="at most 100 tags, and this one 101"):
        reader.read(3, ["0123456781", ",".join(words)])
    wide = [files.Column("phone", []), *(files.Column(word, []) for word in [*words, "one more"])]
    columns.check(["phone", "", *(f"field:{word}" for word in words)], wide)
    with pytest.raises(columns.MappingError, match="101 columns are fields"):
        columns.check(["phone", "field:one more", *(f"field:{word}" for word in words)], wide)
