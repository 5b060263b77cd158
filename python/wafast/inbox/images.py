"""Pictures for sending: a JPEG of at most 1600 pixels and 350 KB, the right way up, on white where it was clear."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIDE = 1600  # pixels
MAX_BYTES = 350 * 1024
MAX_PIXELS = 60_000_000  # a 48-megapixel phone's picture passes; a bomb of a billion pixels does not
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
QUALITIES = (85, 78, 70, 60, 50, 40)


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
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise NotAnImage(
                    f"{opened.width} by {opened.height} pixels are too many; {MAX_PIXELS // 1_000_000} million pass"
                )
            # JPEG decodes at a half, quarter or eighth for nearly nothing
            opened.draft("RGB", (MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(opened)
            flat = _on_white(upright)
    except NotAnImage:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAnImage(f"not a JPEG, PNG, GIF or WebP picture that can be read ({error})") from error
    flat.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _small_enough(flat)


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
