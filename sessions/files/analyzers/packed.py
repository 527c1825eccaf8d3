"""What is packed: archives, whose members are listed and never unpacked, and gzip."""

import io
import tarfile
import zipfile
import zlib
from typing import Any

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.core import sandbox
from sessions.files.analyzers.base import MAX_TEXT, Found, short

MOST_MEMBERS = 10_000
MOST_LISTED = 100
MAX_UNPACKED = 512 * 1024 * 1024
MAX_RATIO = 200
"""How many times a member may be as large as it is packed, beyond the first MiB."""
FREE = 1024 * 1024
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
ENCRYPTED = 0x1


def opened(content: bytes) -> zipfile.ZipFile:
    """
    A zip file that is small enough to be read by what trusts it.

    :raises ValidationFailed: for one that is broken
    :raises PayloadTooLarge: for one that would unpack to too much
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except BROKEN as error:
        raise ValidationFailed(f"The archive is broken: {short(error)}.") from None
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise PayloadTooLarge("The archive has too many members.", most=MOST_MEMBERS)
    if is_bomb(members):
        raise PayloadTooLarge("The archive would unpack to too much.", max_bytes=MAX_UNPACKED)
    return archive


def is_bomb(members: list[zipfile.ZipInfo]) -> bool:
    """Whether members are together, or one for what it is packed to, larger than is honest."""
    if sum(one.file_size for one in members) > MAX_UNPACKED:
        return True
    return any(one.file_size > FREE + MAX_RATIO * one.compress_size for one in members)


def zip_(content: bytes) -> Found:
    """An archive: its members as they are named, what they would be unpacked, and what is not safe."""
    archive = opened(content)
    members = [one for one in archive.infolist() if not one.is_dir()]
    size = sum(one.file_size for one in members)
    named = [(one.filename, one.file_size) for one in members]
    data = _listed(named) | {
        "is_encrypted": any(one.flag_bits & ENCRYPTED for one in members),
        "packed_size": sum(one.compress_size for one in members),
        "unpacked_size": size,
    }
    return Found("archive", "zip", "application/zip", data, text=_names(named))


def tar(content: bytes) -> Found:
    """
    A tape archive: the same.

    :raises ValidationFailed: for one that is broken
    """
    named: list[tuple[str, int]] = []
    links = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for one in archive:
                if len(named) == MOST_MEMBERS:
                    raise PayloadTooLarge("The archive has too many members.", most=MOST_MEMBERS)
                links += one.issym() or one.islnk()
                if not one.isdir():
                    named.append((one.name, one.size))
    except (tarfile.TarError, *BROKEN) as error:
        raise ValidationFailed(f"The archive is broken: {short(error)}.") from None
    data = _listed(named) | {"unpacked_size": sum(size for _, size in named), "links": links}
    return Found("archive", "tar", "application/x-tar", data, text=_names(named))


def _listed(named: list[tuple[str, int]]) -> dict[str, Any]:
    unsafe = [name for name, _ in named if not _is_safe(name)]
    return {
        "members": len(named),
        "listed": [{"name": short(name), "size": size} for name, size in named[:MOST_LISTED]],
        "unsafe_names": len(unsafe),
        "unsafe": [short(name) for name in unsafe[:10]],
    }


def _is_safe(name: str) -> bool:
    try:
        sandbox.name(name)
    except ValidationFailed:
        return False
    return True


def _names(named: list[tuple[str, int]]) -> str:
    return "\n".join(short(name) for name, _ in named)


def gunzip(content: bytes) -> tuple[bytes, bool]:
    """
    What is in a gzip file, as far as it is looked at, and whether that is all of it.

    :raises ValidationFailed: for one that is broken
    """
    found = bytearray()
    rest = content
    try:
        while rest and len(found) < MAX_TEXT:
            part = zlib.decompressobj(wbits=31)
            found += part.decompress(rest, MAX_TEXT - len(found))
            if not part.eof:
                break
            rest = part.unused_data
    except zlib.error as error:
        if not found:
            raise ValidationFailed(f"The file is broken: {short(error)}.") from None
    if rest and not found:
        raise ValidationFailed("The file is broken: it ends before anything is in it.")
    return bytes(found), not rest
