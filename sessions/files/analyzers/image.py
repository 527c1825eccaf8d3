"""The analyzer of pictures: what their header says, and whether all of them is there."""

import io
import warnings
from typing import Any

from PIL import Image

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.files.analyzers.base import Found, short

MAX_PIXELS = 100_000_000
MOST_DRAWN = 25_000_000
MOST_FRAMES = 1000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "MPO")
# The numbers of Exif's own words; where a picture was taken is nobody's business.
EXIF = {271: "make", 272: "model", 274: "orientation", 305: "software", 306: "taken_at"}
GPS = 34853
BROKEN = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    SyntaxError,
    AttributeError,
    OverflowError,
)


def analyze(content: bytes) -> Found:
    """
    A picture: format, size in pixels, mode, frames, and a little of its Exif data.

    :raises ValidationFailed: for one that is broken
    :raises PayloadTooLarge: for one of more than 100 million pixels
    """
    # One that is too large is refused below, with the same words for all of them.
    Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _read(content)
        except BROKEN as error:
            raise ValidationFailed(f"The picture is broken: {short(error)}.") from None


def _read(content: bytes) -> Found:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise PayloadTooLarge("The picture has too many pixels.", most=MAX_PIXELS)
        name = str(picture.format or "").lower()
        data: dict[str, Any] = {"width": width, "height": height, "mode": picture.mode}
        data |= _frames(picture)
        metadata = _exif(picture)
        media = Image.MIME.get(str(picture.format), "image/unknown")
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        _prove(picture)
    return Found("image", name, media, data, metadata)


def _prove(picture: Image.Image) -> None:
    """Go on only if it is whole: one is drawn for that, as small as its format can, or read."""
    if picture.size[0] * picture.size[1] > MOST_DRAWN:
        picture.verify()
        return
    picture.draft(None, (64, 64))
    picture.load()


def _frames(picture: Image.Image) -> dict[str, Any]:
    """How many pictures there are in it, as far as they are counted."""
    count = 0
    try:
        while count < MOST_FRAMES:
            picture.seek(count)
            count += 1
    except EOFError:
        pass
    picture.seek(0)
    return {"frames": count, "is_animated": count > 1}


def _exif(picture: Image.Image) -> dict[str, Any]:
    exif = picture.getexif()
    found: dict[str, Any] = {
        name: short(exif[tag]) for tag, name in EXIF.items() if exif.get(tag) not in (None, "")
    }
    if exif:
        found["has_location"] = GPS in exif
    return found
