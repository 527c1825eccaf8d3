"""Reading and writing capsules, and files like them: zips of which nothing is ever unpacked to a path."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from aegis_project.kit import strict
from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from aegis_project.kit.progress import Progress, silent
from sessions.core import capsule
from sessions.core.capsule import MANIFEST, Manifest, Member

# The earliest that zip knows: the same content is the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)
PIECE = 65_536
# A row is around what somebody said, which may be as deep as anything.
WRAPPED = 4
ENCRYPTED = 0x1
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


class Filling:
    """A file that is being written; what it holds is proven by its manifest, which comes last."""

    def __init__(self, file: IO[bytes], *, max_bytes: int | None = None) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._max_bytes, self._size = max_bytes, 0
        self.members: dict[str, Member] = {}

    def lines(self, name: str, rows: Iterable[bytes]) -> None:
        """A member with one row a line."""
        self.pieces(name, (row + b"\n" for row in rows))

    def pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """
        A member of such bytes; one that is there already stays.

        :raises PayloadTooLarge: if the file becomes larger than it may be
        """
        if name in self.members:
            return
        before, found = self._size, hashlib.sha256()
        with self._zip.open(_info(name), "w", force_zip64=True) as member:
            for piece in pieces:
                self._size += len(piece)
                if self._max_bytes is not None and self._size > self._max_bytes:
                    raise PayloadTooLarge(max_bytes=self._max_bytes)
                found.update(piece)
                member.write(piece)
        self.members[name] = Member(self._size - before, found.hexdigest())

    def prove(self, manifest: Struct) -> None:
        """Write what proves the members; nothing comes after it."""
        self._zip.writestr(_info(MANIFEST), msgspec.json.encode(manifest))
        self._zip.close()


class Writer(Filling):
    """A capsule that is being written."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, max_bytes=capsule.MAX_BYTES)

    def close(self, *, session: str, head: int) -> Manifest:
        """Write what proves the members."""
        manifest = Manifest(
            format=capsule.FORMAT,
            version=capsule.VERSION,
            session=session,
            head=head,
            redacted=True,
            digest=capsule.digest(self.members),
            members=dict(sorted(self.members.items())),
        )
        self.prove(manifest)
        return manifest


def _info(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, EPOCH)
    found.compress_type = zipfile.ZIP_DEFLATED
    found.external_attr = 0o600 << 16
    return found


class Manifested(Protocol):
    """What says which members there are."""

    @property
    def members(self) -> Mapping[str, Member]: ...


M = TypeVar("M", bound=Manifested)


class Proven(Generic[M]):
    """
    A file that somebody brings; each member is proven before anything of it is used.

    ``read`` makes a manifest of its bytes. ``what`` is what it is called. ``progress`` hears of the
    bytes that are proven.

    :raises ValidationFailed: for what is none, or not what its manifest says
    :raises PayloadTooLarge: for what would be too much
    """

    most_members = capsule.MAX_MEMBERS
    max_manifest_bytes = capsule.MAX_MANIFEST
    max_line_bytes = capsule.MAX_LINE
    is_bounded = True

    def __init__(
        self,
        file: IO[bytes],
        read: Callable[[bytes], M],
        *,
        what: str,
        progress: Progress = silent,
    ) -> None:
        self._what, self._progress, self._proven = what, progress, 0
        self.line_counts: dict[str, int] = {}
        try:
            self._zip = zipfile.ZipFile(file)
            self._infos = self._listed()
            self.manifest = read(self._whole(MANIFEST, self.max_manifest_bytes))
            self._total = sum(one.size for one in self.manifest.members.values())
            for name, member in self.manifest.members.items():
                self._prove(name, member)
        except BROKEN as error:
            raise ValidationFailed(f"This is no {what}.", reason=str(error)[:200]) from None
        if self._infos.keys() != {MANIFEST, *self.manifest.members}:
            raise ValidationFailed(f"The {what} has other members than its manifest names.")

    def _listed(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        found = {one.filename: one for one in infos}
        if len(found) != len(infos) or len(infos) > self.most_members + 1:
            raise ValidationFailed(f"The {self._what} has a member twice, or too many.")
        if MANIFEST not in found:
            raise ValidationFailed(f"The {self._what} has no manifest.")
        if any(one.flag_bits & ENCRYPTED for one in infos):
            raise ValidationFailed(f"The {self._what} is encrypted.")
        if self.is_bounded:
            capsule.check_sizes({one.filename: one.file_size for one in infos})
        return found

    def _prove(self, name: str, member: Member) -> None:
        info = self._infos.get(name)
        if info is None or info.file_size != member.size:
            raise ValidationFailed("A member is not there, or of another size.", member=name)
        found, lines = hashlib.sha256(), 0
        for piece in self.pieces(name):
            found.update(piece)
            lines += piece.count(b"\n")
            self._proven += len(piece)
            self._progress("proven", self._proven, self._total)
        self.line_counts[name] = lines
        if found.hexdigest() != member.sha256:
            raise ValidationFailed("The digest of a member is another one.", member=name)

    def _whole(self, name: str, most: int) -> bytes:
        if self._infos[name].file_size > most:
            raise PayloadTooLarge(max_bytes=most)
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a member, never more than its size says."""
        left = self._infos[name].file_size
        with self._zip.open(self._infos[name]) as member:
            while piece := member.read(PIECE):
                left -= len(piece)
                if left < 0:
                    raise PayloadTooLarge("A member unpacks to more than it says.", member=name)
                yield piece

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """
        The rows of a member, none if there is no such member.

        :raises ValidationFailed: for what is no row
        """
        if name not in self._infos:
            return
        with self._zip.open(self._infos[name]) as member:
            while line := member.readline(self.max_line_bytes + 1):
                row = strict.decode(
                    line, max_bytes=self.max_line_bytes, max_depth=strict.MAX_DEPTH + WRAPPED
                )
                if not isinstance(row, dict):
                    raise ValidationFailed("A row is an object.", member=name)
                yield row


class Reader(Proven[Manifest]):
    """A capsule that somebody brings."""

    def __init__(self, file: IO[bytes], *, progress: Progress = silent) -> None:
        super().__init__(file, capsule.read, what="capsule", progress=progress)
        # How many rows there are to be brought in.
        self.row_count = sum(
            count for name, count in self.line_counts.items() if name.startswith(capsule.ROWS)
        )

    def file(self, sha256: str) -> bytes:
        """
        The content of a file that a row names.

        :raises ValidationFailed: if the capsule has none
        """
        name = f"files/{sha256}"
        if name not in self._infos:
            raise ValidationFailed("A file is missing.", member=name[:100])
        return b"".join(self.pieces(name))

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """
        The rows of a table, none if the capsule has none.

        :raises ValidationFailed: for what is no row
        """
        return self.lines(f"rows/{table}.ndjson")
