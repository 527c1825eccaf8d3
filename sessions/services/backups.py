"""The whole instance as one file, and an empty one made of such a file."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection
from django.db.models import Field, Model
from django.utils import timezone

from aegis_project import database, sealed
from aegis_project.kit.errors import SecretUnreadable, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.kit.progress import Progress, silent
from components.core.scopes import INSTANCE
from sessions.core import backup
from sessions.core.backup import Manifest
from sessions.core.capsule import Member
from sessions.core.library_errors import NotEmpty
from sessions.files import storage
from sessions.files.backups import Reader, Writer
from sessions.selectors import backups as selecting
from streaming.models import AuditChain
from streaming.services import audit
from streaming.services.commands import Trace, command

PROBE = "aegis"
SLICE = 200
# Migrations put rows into these.
MADE = (Group, AuditChain)


@dataclass(frozen=True, slots=True)
class Asked:
    """That somebody had everything."""

    def audit(self) -> Trace:
        return Trace(session_id=None, target="instance", detail={})


@command("instance.backup", scope=INSTANCE)
def _ask(*, principal: Principal) -> Asked:
    return Asked()


def write(*, principal: Principal, file: IO[bytes], progress: Progress = silent) -> Manifest:
    """
    Write everything that this instance holds, as it is at one moment; nobody waits for it.

    Secrets are in it as they are kept: sealed, or as hashes.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises ServiceUnavailable: if a file of a session cannot be read
    """
    _ask(principal=principal)
    writer = Writer(file)
    with database.snapshot():
        _fill(writer, progress)
        return writer.close(
            at=timezone.now().isoformat(timespec="seconds"),
            migrations=selecting.migrations(),
            probe=sealed.seal(PROBE),
        )


def _fill(writer: Writer, progress: Progress) -> None:
    models = selecting.models()
    for number, model in enumerate(models):
        progress("tables", number, len(models))
        writer.lines(selecting.member(model), selecting.lines(model))
    files = list(selecting.files())
    for number, (path, sha256) in enumerate(files):
        progress("files", number, len(files))
        content = storage.read(path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValidationFailed("A file is not what its row says.", file=path)
        writer.pieces(f"files/{path}", [content])
    progress("files", len(files), len(files))


@dataclass(frozen=True, slots=True)
class Restored:
    """What an instance was made of; ``can_unseal`` says whether its secrets can be read here."""

    manifest: Manifest
    rows: int
    files: int
    can_unseal: bool


def restore(*, principal: Principal, reader: Reader, progress: Progress = silent) -> Restored:
    """
    Make this empty instance the one of a backup that was proven; all of it or nothing.

    What is written is read again, and has to have the digest of the backup.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises NotEmpty: if there is something here
    :raises ValidationFailed: for a backup of other tables, or rows that cannot be
    """
    principal.require(INSTANCE)
    manifest = reader.manifest
    if manifest.migrations != selecting.migrations():
        raise ValidationFailed("The backup is of another version of Aegis: it has other tables.")
    with database.atomic():
        refuse_unless_empty()
        try:
            rows = _write_rows(reader, progress)
        except IntegrityError as error:
            raise ValidationFailed(f"The rows do not fit: {str(error)[:200]}") from None
        files = _write_files(reader, progress)
        if backup.of_tables(_read_again()) != backup.of_tables(manifest.members):
            raise ValidationFailed("What was written is not what the backup holds.")
        _note(principal, manifest)
    return Restored(manifest, rows, files, _can_unseal(manifest))


def refuse_unless_empty() -> None:
    """
    Go on only where nothing is but what migrations have made.

    :raises NotEmpty: otherwise
    """
    for model in selecting.models():
        if model not in MADE and model._base_manager.exists():
            raise NotEmpty(
                f"There is something here already: {model._meta.verbose_name_plural}.",
                table=model._meta.label_lower,
            )


def _write_rows(reader: Reader, progress: Progress) -> int:
    models, count = selecting.models(), 0
    for made in MADE:
        made._base_manager.all()._raw_delete(DEFAULT_DB_ALIAS)
    for number, model in enumerate(models):
        progress("tables", number, len(models))
        count += _insert(model, reader.lines(selecting.member(model)))
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
    connection.check_constraints()
    return count


def _insert(model: type[Model], rows: Iterable[Mapping[str, Any]]) -> int:
    fields, count = model._meta.concrete_fields, 0
    names = {one.attname: _by_word(one) for one in fields}
    made = (_made(model, row, fields, names) for row in rows)
    size = max(
        1, min(SLICE, connection.ops.bulk_batch_size([f.name for f in fields], [None] * SLICE))
    )
    while some := list(islice(made, size)):
        # As they are: no moment of now is put in, and no default.
        model._base_manager._insert(  # type: ignore[attr-defined]
            some, fields=fields, using=DEFAULT_DB_ALIAS, raw=True
        )
        count += len(some)
    return count


def _by_word(field: "Field[Any, Any]") -> dict[str, Any] | None:
    words = selecting.words_of(field)
    return None if words is None else {word: key for key, word in words.items()}


def _made(
    model: type[Model],
    row: Mapping[str, Any],
    fields: Iterable["Field[Any, Any]"],
    names: Mapping[str, dict[str, Any] | None],
) -> Model:
    if row.keys() != names.keys():
        raise ValidationFailed(f"A row of {model._meta.label_lower} has other columns.")
    try:
        values = {one.attname: _value(one, row[one.attname], names[one.attname]) for one in fields}
    except (ValidationError, KeyError, TypeError, ValueError, ArithmeticError):
        raise ValidationFailed(f"A row of {model._meta.label_lower} cannot be read.") from None
    return model(**values)


def _value(field: "Field[Any, Any]", value: Any, words: Mapping[str, Any] | None) -> Any:
    if value is None:
        return None
    return words[value] if words is not None else field.to_python(value)


def _write_files(reader: Reader, progress: Progress) -> int:
    wanted = {f"files/{path}": path for path, _ in selecting.files()}
    held = {name for name in reader.manifest.members if name.startswith("files/")}
    if wanted.keys() != held:
        raise ValidationFailed("The backup has other files than its rows name.")
    for number, (name, path) in enumerate(wanted.items()):
        progress("files", number, len(wanted))
        # What an attempt that was refused has left is of nobody.
        storage.remove(path)
        storage.write(path, b"".join(reader.pieces(name)))
    progress("files", len(wanted), len(wanted))
    return len(wanted)


def _read_again() -> dict[str, Member]:
    return {selecting.member(one): _counted(selecting.lines(one)) for one in selecting.models()}


def _counted(lines: Iterator[bytes]) -> Member:
    size, found = 0, hashlib.sha256()
    for line in lines:
        size += len(line) + 1
        found.update(line + b"\n")
    return Member(size, found.hexdigest())


def _note(principal: Principal, manifest: Manifest) -> None:
    # No command: one that is refused would leave an entry where nothing may be.
    audit.accepted(
        command="instance.restore",
        principal=principal,
        session_id=None,
        target="instance",
        detail={"digest": manifest.digest, "at": manifest.at},
    )


def _can_unseal(manifest: Manifest) -> bool:
    try:
        return sealed.unseal(manifest.probe) == PROBE
    except SecretUnreadable:
        return False
