"""Pictures made fit for sending."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from wafast.inbox.images import MAX_BYTES, MAX_SIDE, NotAnImage, is_image, shrink


def _encoded(image: Image.Image, kind: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def _decoded(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return image


def test_a_picture_keeps_its_shape_and_is_never_made_larger() -> None:
    wide = shrink(_encoded(Image.new("RGB", (4000, 1000)), "JPEG"))
    assert (wide.width, wide.height) == (MAX_SIDE, 400)
    small = shrink(_encoded(Image.new("RGB", (40, 10)), "PNG"))
    assert (small.width, small.height) == (40, 10)


def test_a_picture_taken_upright_stays_upright() -> None:
    image = Image.new("RGB", (80, 40), "white")
    image.paste("red", (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees to see it as it was taken
    turned = shrink(_encoded(image, "JPEG", exif=exif))
    assert (turned.width, turned.height) == (40, 80)
    top = _decoded(turned.jpeg).getpixel((20, 10))
    assert isinstance(top, tuple) and top[0] > 200 and top[1] < 60


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_what_was_clear_is_white(kind: str) -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    pixel = _decoded(shrink(_encoded(clear, kind)).jpeg).getpixel((10, 10))
    assert isinstance(pixel, tuple) and min(pixel) > 250


@pytest.mark.parametrize(("mode", "clear"), [("L", 0), ("RGB", (0, 0, 0))])
def test_a_colour_that_stands_for_clear_is_white(mode: str, clear: int | tuple[int, int, int]) -> None:
    picture = Image.new(mode, (20, 20), clear)
    pixel = _decoded(shrink(_encoded(picture, "PNG", transparency=clear)).jpeg).getpixel((10, 10))
    assert isinstance(pixel, tuple) and min(pixel) > 250


@pytest.mark.parametrize(("sixteen", "eight"), [(2_000, 8), (60_000, 233)])
def test_sixteen_bits_of_grey_become_eight(sixteen: int, eight: int) -> None:
    pixel = _decoded(shrink(_encoded(Image.new("I;16", (20, 20), sixteen), "PNG")).jpeg).getpixel((10, 10))
    assert isinstance(pixel, tuple) and all(abs(part - eight) < 4 for part in pixel)


def test_noise_fits_too() -> None:
    noise = Image.frombytes("RGB", (1600, 1600), random.Random(1).randbytes(1600 * 1600 * 3))
    assert len(shrink(_encoded(noise, "PNG")).jpeg) <= MAX_BYTES


def test_350_kb_are_350_000_bytes() -> None:
    """Noise of these sizes takes from 345 to 360 thousand bytes at the best quality: some lie between the two sizes
    that are called 350 KB."""
    for side in range(694, 712, 3):
        noise = Image.frombytes("RGB", (side, side), random.Random(7).randbytes(side * side * 3))
        assert len(shrink(_encoded(noise, "PNG")).jpeg) <= 350_000, side


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='x'/>", b"II*\0" + b"\0" * 50])
def test_what_is_no_picture(content: bytes) -> None:
    with pytest.raises(NotAnImage, match=r"^not a JPEG, PNG, GIF or WebP picture") as refused:
        shrink(io.BytesIO(content))
    assert "object" not in str(refused.value)
    assert not is_image(io.BytesIO(content))


def test_a_picture_cut_short() -> None:
    whole = _encoded(Image.effect_noise((400, 400), 50), "JPEG").getvalue()
    with pytest.raises(NotAnImage):
        shrink(io.BytesIO(whole[: len(whole) // 2]))
