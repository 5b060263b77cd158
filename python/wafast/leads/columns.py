"""What the columns of a file are, and what a row of them says of a lead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from wafast import phones
from wafast.leads.causes import MappingKind, RowKind
from wafast.leads.files import Column
from wafast.leads.rows import MOST_FIELDS, MOST_TAGS
from wafast.leads.tags import tags
from wafast.refusal import Refusal

#: What a column can be; any other is `field:` and the name of a field, or empty: it is left out.
KNOWN = ("phone", "name", "niche", "target_status", "trigger", "device")
FIELD = "field:"
#: How people call them: compared in lower case, letters only.
CALLED = {
    "phone": "phone phonenumber phoneno mobile mobileno mobilenumber mobilephone number whatsapp whatsappnumber "
    "whatsappno tel telno telephone telefon nofon notel notelefon nombortelefon nowhatsapp nombor handphone hp hpno "
    "nohp cell cellphone contact contactno contactnumber msisdn "
    "电话 电话号码 联系电话 手机 手机号 手机号码 電話 電話號碼 聯絡電話 手機 手機號碼",
    "name": "name fullname firstname customer customername client clientname contactname nama namapenuh namapelanggan "
    "pelanggan 姓名 名字 客户 客戶",
    "niche": "niche tag tags label labels group groups category segment kategori kumpulan 标签 標籤 分类 分類",
    "target_status": "targetstatus status type jenis 状态 狀態",
    "trigger": "trigger triggers sequence",
    "device": "device deviceid devicename line sender peranti",
}
STATUSES = {"prospect": "prospect", "customer": "customer", "prospek": "prospect", "pelanggan": "customer"}
LONGEST = {"name": 200, "tag": 100, "field": 2000}
TOO_LONG: dict[str, RowKind] = {"name": "name_long", "tag": "tag_long", "field": "field_long"}
#: Characters that are told of a cell, and of what is wrong with it.
MOST_TOLD = 300
#: As spreadsheets write large numbers.
SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
#: As programs write numbers of a column in which some are missing.
WHOLE = re.compile(r"(\+?\d{7,})\.0+")
#: What is put before a text that a spreadsheet would take for a formula (leads/exports.py).
GUARD = re.compile(r"'(?=[=+\-@])")
#: What a spreadsheet is told by, that a number is a text.
AS_TEXT = re.compile(r"^(?:'|=\"([^\"]*)\"$)")
SPLIT = re.compile(r"[,;|\n]")


class Staged(NamedTuple):
    """What a row says, in the order of the columns of the table it is copied to."""

    line: int
    phone: str
    name: str
    tags: list[str]
    target_status: str | None
    device_no: int | None
    fields: str | None
    zone: str


class Refused(Refusal[RowKind]):
    """A row that can't become a lead: how the cell that is wrong begins, and why."""

    def __init__(self, value: str, kind: RowKind, reason: str, **values: object) -> None:
        super().__init__(kind, reason[:MOST_TOLD], **values)
        self.value = value[:MOST_TOLD]


class MappingError(Refusal[MappingKind]):
    """The columns can't be so; the text says why and what to do."""


def proposed(columns: Sequence[Column]) -> list[str]:
    """What the columns are by their names, and which holds the phone numbers by what is in them, too."""
    found: list[str] = []
    phone = _phone_column(columns)
    for place, column in enumerate(columns):
        called = _called(column)
        kind = "phone" if place == phone else "" if called in ("phone", *found) else called
        named = column.name if not re.fullmatch(r"Column \d+", column.name) else ""
        twins = sum(one.name.lower() == named.lower() for one in columns[: len(found)])
        own = f"{named[:96]} {twins + 1}" if twins else named
        found.append(kind or (FIELD + own.lower() if named and column.examples else ""))
    return found


def _called(column: Column) -> str:
    letters = re.sub(r"[\W_]", "", column.name.lower())
    return next((kind for kind, names in CALLED.items() if letters in names.split()), "")


def _phone_column(columns: Sequence[Column]) -> int | None:
    """The first that is called so and holds numbers: what is called `Contact` may hold names, and `Number` count rows.
    Else the one that holds most of them, or the first that is called so."""
    called = [place for place, column in enumerate(columns) if _called(column) == "phone"]
    numbers = [sum(map(_is_phone, column.examples)) for column in columns]
    holding = [place for place in called if numbers[place]]
    most = max(numbers, default=0)
    if holding or not most:
        return next(iter(holding or called), None)
    return numbers.index(most)


def check(mapping: Sequence[str], columns: Sequence[Column]) -> None:
    """Raises MappingError when a file can't be read with this mapping."""
    if len(mapping) != len(columns):
        raise MappingError(
            "columns_differ",
            f"{len(mapping)} columns are mapped, and the file has {len(columns)}",
            mapped=len(mapping),
            columns=len(columns),
        )
    for place, kind in enumerate(mapping):
        if kind and kind not in KNOWN and not (kind.startswith(FIELD) and 0 < len(kind) - len(FIELD) <= 100):
            raise MappingError(
                "column_unknown",
                f"column {columns[place].name!r} can't be {kind!r}: one of {', '.join(KNOWN)}, "
                f"{FIELD} and a name, or nothing is wanted",
                column=columns[place].name,
            )
        if kind and kind not in ("niche", "trigger") and kind in mapping[:place]:
            raise MappingError("column_twice", f"two columns are {kind}: leave one of them out", column=kind)
    fields = sum(kind.startswith(FIELD) for kind in mapping)
    if fields > MOST_FIELDS:
        raise MappingError(
            "fields_many",
            f"{fields} columns are fields, and a lead has at most {MOST_FIELDS}: leave some out",
            fields=fields,
            most=MOST_FIELDS,
        )
    if "phone" not in mapping:
        raise MappingError("no_phone_column", "no column is the phone number: say which one is")


class Reader:
    """Reads rows.

    Args:
        mapping: of each column.
        region: of numbers without a country code.
        time_zone: of numbers that belong nowhere.
        devices: numbers of the tenant's devices that each word means: names (casefolded), phones and ids.
        more_tags: that every lead gets.
    """

    def __init__(
        self,
        mapping: Sequence[str],
        region: str,
        time_zone: str,
        devices: Mapping[str, list[int]],
        more_tags: Sequence[str] = (),
    ) -> None:
        self._width = len(mapping)
        self._region, self._time_zone, self._devices = region, time_zone, devices
        self._more = tags(more_tags)
        at = {kind: place for place, kind in enumerate(mapping)}
        self._phone = at["phone"]
        self._name, self._status, self._device = at.get("name"), at.get("target_status"), at.get("device")
        self._tags = [place for place, kind in enumerate(mapping) if kind in ("niche", "trigger")]
        self._fields = [
            (kind.removeprefix(FIELD), place) for place, kind in enumerate(mapping) if kind.startswith(FIELD)
        ]

    def read(self, line: int, row: list[str]) -> Staged:
        """What a row says. Raises Refused."""
        if len(row) < self._width:
            row = row + [""] * (self._width - len(row))
        elif len(row) > self._width and any(row[self._width :]):
            raise Refused(
                next(cell for cell in row[self._width :] if cell),
                "row_long",
                f"the row has {len(row)} cells, and the file {self._width} columns; a text with a comma needs quotes",
                cells=len(row),
                columns=self._width,
            )
        phone = self._phone_of(row[self._phone])
        return Staged(
            line,
            phone,
            "" if self._name is None else _short(row[self._name], "name"),
            self._tags_of(row),
            None if self._status is None else _status_of(row[self._status]),
            None if self._device is None else self._device_of(row[self._device]),
            self._fields_of(row),
            phones.zone_of(phone, self._time_zone),
        )

    def _phone_of(self, cell: str) -> str:
        text = _plain(cell)
        if not text:
            raise Refused(cell, "phone_missing", "there is no phone number")
        if SCIENTIFIC.fullmatch(text):
            number = Decimal(text)
            mantissa = text.lower().partition("e")[0].replace(".", "")
            # what was rounded ends in zeros that nobody wrote
            if number != int(number) or len(mantissa) < len(str(int(number))):
                raise Refused(
                    cell,
                    "number_rounded",
                    "a spreadsheet has rounded this number; format the column as text and save it again",
                )
            text = str(int(number))
        elif (whole := WHOLE.fullmatch(text)) is not None:
            text = whole[1]
        try:
            return phones.parse(text, self._region)
        except phones.PhoneError as error:
            raise Refused(cell, error.kind, str(error), **error.values) from None

    def _tags_of(self, row: list[str]) -> list[str]:
        found = [one for place in self._tags if row[place] for one in SPLIT.split(row[place])]
        if not found:
            return self._more
        every = tags([*(_short(one.strip(), "tag") for one in found), *self._more])
        if len(every) > MOST_TAGS:
            raise Refused(
                ", ".join(found),
                "tags_many",
                f"a lead has at most {MOST_TAGS} tags, and this one {len(every)}",
                most=MOST_TAGS,
                n=len(every),
            )
        return every

    def _device_of(self, cell: str) -> int | None:
        if not cell:
            return None
        found = self._devices.get(cell.casefold(), [])
        if not found:
            raise Refused(cell, "device_unknown", f"there is no device {cell!r}; its name, number or id is wanted")
        if len(found) > 1:
            raise Refused(
                cell,
                "device_unclear",
                f"{len(found)} devices are called {cell!r}; a number or id is wanted",
                n=len(found),
            )
        return found[0]

    def _fields_of(self, row: list[str]) -> str | None:
        found = {name: _short(row[place], "field") for name, place in self._fields if row[place]}
        return msgspec.json.encode(found).decode() if found else None


def _plain(cell: str) -> str:
    found = AS_TEXT.match(cell)
    return cell if found is None else (found[1] if found[1] is not None else cell[1:]).strip()


def _status_of(cell: str) -> str | None:
    if not cell:
        return None
    found = STATUSES.get(cell.casefold())
    if found is None:
        raise Refused(cell, "status_unknown", f"a status is prospect or customer, not {cell!r}")
    return found


def _short(text: str, what: str) -> str:
    text = GUARD.sub("", text, count=1) if text[:1] == "'" else text
    if len(text) > LONGEST[what]:
        most, n = LONGEST[what], len(text)
        raise Refused(text, TOO_LONG[what], f"a {what} has at most {most} characters, and this one {n}", most=most, n=n)
    return text


def _is_phone(text: str) -> bool:
    try:
        phones.parse(_plain(text))
    except phones.PhoneError:
        return False
    return True
