"""Flags that stand for settings, and the settings of this call."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wafast import settings
from wafast.settings import Settings

#: What the flags before the command said, by the setting's field; commands add their own.
_flags: dict[str, str] = {}

DataDir = Annotated[str | None, typer.Option(help="Folder for everything wafast keeps on disk.", metavar="DIR")]
Log = Annotated[
    str | None,
    typer.Option(help="Levels and form: info,devices=debug,json.", metavar="LEVELS"),
]
Host = Annotated[str | None, typer.Option(help="Address the web server listens on.")]
Port = Annotated[int | None, typer.Option(help="Port the web server listens on.")]
Workers = Annotated[int | None, typer.Option(help="Worker processes for each network.")]


def remember(**flags: Any) -> None:
    """Take flags over the other sources; those that are None were not given."""
    _flags.update({field: str(value) for field, value in flags.items() if value is not None})


def load(*, demo: bool = False) -> Settings:
    """The settings of this call. Raises SettingError."""
    return settings.load(_flags, demo=demo)


def describe() -> list[str]:
    """Every setting as `NAME=value  # source`."""
    return settings.describe(_flags)
