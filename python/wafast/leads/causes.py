"""What kinds of reasons there are why a file, or a row of one, is not taken, or not all of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wafast import phones
from wafast.refusal import Refusal

#: Of a file that is no table.
OtherKind = Literal[
    "is_pdf", "is_picture", "is_document", "is_archive", "is_address_book", "is_web_page", "is_data", "is_presentation",
    "is_apple", "is_locked", "is_other", "is_binary",
]  # fmt: skip
FileKind = Literal[
    OtherKind, "file_empty", "file_wide", "no_rows", "no_rows_below", "row_unreadable", "quote_open", "no_sheet",
    "workbook_large", "workbook_damaged", "other_encoding",
]  # fmt: skip
MappingKind = Literal["columns_differ", "column_unknown", "column_twice", "fields_many", "no_phone_column"]
RowKind = Literal[
    phones.Kind, "row_long", "phone_missing", "number_rounded", "tags_many", "device_unknown", "device_unclear",
    "status_unknown", "name_long", "tag_long", "field_long",
]  # fmt: skip
#: Of rows that the database has compared with others and with leads.
TakenKind = Literal["number_twice", "person_twice", "other_number", "tags_left_out", "fields_left_out"]
#: Of a process that came to no end.
ProcessKind = Literal["takes_memory", "takes_long", "disk_full", "fell_over"]


class ImportCause(msgspec.Struct, frozen=True):
    """One of these reasons, with what it names."""

    kind: Annotated[
        Literal[FileKind, MappingKind, RowKind, TakenKind, ProcessKind],
        Meta(description="A word for programs.", examples=["number_short"]),
    ]
    values: Annotated[dict[str, str], Meta(description="What the reason names.", examples=[{"code": "60"}])] = {}


def stored(error: Refusal[Any]) -> dict[str, Any]:
    """Why something was refused, as it is stored."""
    return {"kind": error.kind, "values": error.values}
