"""A QR code on the terminal: two rows of it in each line of half blocks."""

from __future__ import annotations

import segno
from rich.text import Text

#: Light modules around a code, without which phones don't find it.
BORDER = 2
COLOURS = "#ffffff on #000000"
BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def draw(text: str) -> Text:
    """The code for a text, white on black whatever the terminal's colours: its light modules are the blocks."""
    modules = [[not dark for dark in row] for row in segno.make_qr(text, error="l").matrix_iter(border=BORDER)]
    if len(modules) % 2:
        modules.append([False] * len(modules[0]))
    lines = [
        "".join(BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(modules[::2], modules[1::2], strict=True)
    ]
    return Text("\n").join(Text(line, COLOURS, no_wrap=True, overflow="ignore") for line in lines)
