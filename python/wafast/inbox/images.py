"""Pictures for sending: a JPEG of at most 1600 pixels and 350 KB, the right way up, on white where it was clear."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_SIDE = 1600  # pixels
MAX_BYTES = 350_000
MAX_PIXELS = 60_000_000  # a 48-megapixel phone's picture passes; a bomb of a billion pixels does not
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
QUALITIES = (85, 78, 70, 60, 50, 40)
PREVIEW_SIDE = 100  # of the preview that travels inside a message


class NotAnImage(ValueError):
    """The file is none of the picture formats WhatsApp takes, or is damaged; the text says which."""


class Picture(msgspec.Struct, frozen=True):
    """A picture made ready.

    Args:
        jpeg: the file.
        width: pixels.
        height: pixels.
    """

    jpeg: bytes
    width: int
    height: int


def is_image(source: Path | BinaryIO) -> bool:
    """Whether a file looks like a picture that can be sent as one."""
    try:
        with Image.open(source, formats=FORMATS):
            return True
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return False


def shrink(source: Path | BinaryIO) -> Picture:
    """Makes a picture fit for sending. Takes about 0.2 s of CPU for 12 megapixels: call it in a thread.

    Args:
        source: a JPEG, PNG, WebP or GIF (its first frame counts).

    Raises:
        NotAnImage: it is none of them, damaged, or has more than MAX_PIXELS pixels.
    """
    return _small_enough(_opened(source, _thumbnail))


def preview(source: BinaryIO) -> Picture:
    """What is seen of a picture before it is there: `jpeg` is small, `width` and `height` are the picture's own. Takes
    20 ms of CPU for a picture made fit for sending: call it in a thread.

    Raises:
        NotAnImage: as `shrink`.
    """
    flat = _opened(source)
    width, height = flat.size
    flat.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    encoded = io.BytesIO()
    flat.save(encoded, "JPEG", quality=60)
    return Picture(encoded.getvalue(), width, height)


def _opened(
    source: Path | BinaryIO, prepare: Callable[[Image.Image], Image.Image] = lambda opened: opened
) -> Image.Image:
    """A picture, upright and without clear parts."""
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise NotAnImage(
                    f"{opened.width} by {opened.height} pixels are too many; {MAX_PIXELS // 1_000_000} million pass"
                )
            return _on_white(ImageOps.exif_transpose(prepare(opened)))
    except NotAnImage:
        raise
    except UnidentifiedImageError:  # its words name an object of this process
        raise NotAnImage("not a JPEG, PNG, GIF or WebP picture") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAnImage(f"not a JPEG, PNG, GIF or WebP picture that can be read ({error})") from error


def _thumbnail(image: Image.Image) -> Image.Image:
    """At most MAX_SIDE wide and high. It comes first: 60 million pixels are 230 MB, and so is each copy of them.
    A JPEG is decoded at a half, quarter or eighth for nearly nothing; colours of a palette can't be mixed, and neither
    can a clear colour. Pillow cuts 16 bits of grey off at 255 unless they are scaled."""
    if image.mode.startswith("I"):
        image.info.pop("transparency", None)
        image = image.convert("I").point(lambda grey: grey * (1 / 257)).convert("L")
    elif "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode not in ("RGB", "RGBA", "L", "LA", "CMYK", "YCbCr"):
        image = image.convert("RGBA")
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L"):
        return image.convert("RGB")
    clear = image.convert("RGBA")
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat


def _small_enough(image: Image.Image) -> Picture:
    while True:
        for quality in QUALITIES:
            encoded = io.BytesIO()
            image.save(encoded, "JPEG", quality=quality, optimize=True)
            if encoded.tell() <= MAX_BYTES:
                return Picture(encoded.getvalue(), image.width, image.height)
        # noise at full size: fewer pixels look better than worse ones
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)), Image.Resampling.LANCZOS)
