"""The example file names every setting."""

from __future__ import annotations

import re
from pathlib import Path

from wafast import settings

EXAMPLE = Path(__file__).parents[3] / ".env.example"


def test_it_names_every_setting_and_no_other() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text("utf-8"), re.M)
    assert sorted(named) == sorted(entry.names[0] for entry in settings.ENTRIES)
