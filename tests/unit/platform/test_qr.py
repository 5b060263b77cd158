"""A QR code on the terminal."""

from __future__ import annotations

import segno

from wafast.cli.qr import BORDER, draw

#: As long as WhatsApp's: a reference and three keys.
TEXT = "2@" + ",".join(["A" * 60, *["bm9pc2Vrbm9pc2Vrbm9pc2Vrbm9pc2Vrbm9pc2Vrbm8="] * 3])


def test_the_blocks_are_the_light_modules_two_rows_a_line() -> None:
    drawn = draw(TEXT)
    upper, lower = {"▀", "█"}, {"▄", "█"}
    rows = [[block in half for block in line] for line in drawn.plain.split("\n") for half in (upper, lower)]
    wanted = [[not dark for dark in row] for row in segno.make_qr(TEXT, error="l").matrix_iter(border=BORDER)]
    assert rows[: len(wanted)] == wanted
    assert not any(light for row in rows[len(wanted) :] for light in row)


def test_it_is_white_on_black_whatever_the_terminal_has() -> None:
    assert {str(span.style) for span in draw(TEXT).spans} == {"#ffffff on #000000"}


def test_it_fits_a_window_of_eighty_columns() -> None:
    assert max(len(line) for line in draw(TEXT).plain.split("\n")) <= 80
