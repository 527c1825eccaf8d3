"""Making rows of those in a capsule: judged one by one, under ids that nobody else has."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db.models import Field, ForeignKey, Model, UUIDField
from django.utils import timezone

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.kit.progress import Progress, silent
from aegis_project.kit.quotas import Quota
from components.core import lifecycle as parts
from sessions.core import approvals, capsule, conversation, keys, runs, tool_calls
from sessions.core.errors import SessionAlreadyExists
from sessions.core.lifecycle import State
from sessions.files import storage
from sessions.files.capsules import Reader
from sessions.models import Session
from sessions.selectors import capsules, teams
from sessions.selectors.capsules import Row, Table
from sessions.services import capsule_logs, creation, quotas
from sessions.services import capsule_values as values

SLICE = 300


def write(
    reader: Reader, *, principal: Principal, key: str, team: str, progress: Progress = silent
) -> Session:
    """
    Write all rows and files of a capsule that was proven, in the caller's transaction.

    :raises ValidationFailed: for a row that is none, or that leads out of the capsule
    :raises SessionAlreadyExists: if the key that was asked for is taken
    :raises QuotaExceeded: for more than its team may have
    """
    found = Capsule(reader, progress)
    session = found.session(principal=principal, key=key, team=team)
    if session.is_open:
        quotas.admit(session.team_id, Quota.OPEN_SESSIONS)
    session.save(force_insert=True)
    for table in capsules.TABLES[1:]:
        _insert(found.rows(table, session))
    quotas.admit(session.team_id, Quota.STORED_BYTES, 0)
    capsule_logs.write(found, session)
    return session


@dataclass
class Capsule:
    """The rows of a capsule, and under which ids they are written."""

    reader: Reader
    progress: Progress = silent
    _done: int = 0

    def members(self, table: str) -> Iterator[Row]:
        """The rows of a table as they are written, and told of."""
        for row in self.reader.rows(table):
            self._done += 1
            self.progress("rows", self._done, self.reader.row_count)
            yield row

    @cached_property
    def ids(self) -> dict[UUID, UUID]:
        """Each id of the capsule and the one that it gets; all of them new if any is taken."""
        own = {table.name: self._own(table) for table in capsules.TABLES}
        # In one table; the answer of a run has the id of its run.
        if any(len(set(some)) != len(some) for some in own.values()):
            raise ValidationFailed("The capsule has an id twice.")
        every = {pk for some in own.values() for pk in some}
        by_name = {table.name: table.model for table in capsules.TABLES}
        if not any(_is_taken(by_name[name], some) for name, some in own.items()):
            return {pk: pk for pk in every}
        space = uuid4()
        return {pk: uuid5(space, str(pk)) for pk in every}

    def _own(self, table: Table) -> list[UUID]:
        return [_uuid(row.get("id")) for row in self.reader.rows(table.name)]

    def session(self, *, principal: Principal, key: str, team: str) -> Session:
        """The session of the capsule, as it is written here."""
        rows = list(self.members("session"))
        if len(rows) != 1:
            raise ValidationFailed("A capsule holds one session.")
        [row] = rows
        made: Session = self._made(capsules.TABLES[0], row)
        old = UUID(str(row["id"]))
        own = str(made.pk) if made.key == str(old) else made.key
        made.team, made.owner_id = teams.for_new(principal, team), principal.user_id
        made.key = _key(key, own, made)
        creation.check_config(made.config)
        made.state = State.PAUSED.value if made.state == State.RUNNING else made.state
        made.start_requested_at = made.start_deadline_at = None
        made.expires_at = conversation.expiry(made.config, now=timezone.now())
        return made

    def rows(self, table: Table, session: Session) -> Iterator[Any]:
        """The rows of a table, each of this session and at rest."""
        for row in self.members(table.name):
            made = self._made(table, row)
            made.session_id = session.pk
            _rest(table.name, made)
            self._check(table.name, made)
            if table.name in {"attachments", "artifacts"}:
                self._file(made, table.name)
            yield made

    def _check(self, table: str, made: Any) -> None:
        """What no column says of itself."""
        if table == "messages":
            self._places[made.pk] = made.place
            if self._places.get(made.parent_id, 0) >= made.place:
                raise ValidationFailed("A message follows one that came later.")
        elif table == "snapshots":
            capsule.check_snapshot(made.body, digest=made.digest, size=made.size)
        elif table == "checkpoints":
            made.runs = [{**one, "run": str(self.id(one.get("run")))} for one in made.runs]

    @cached_property
    def _places(self) -> dict[UUID | None, int]:
        return {None: 0}

    def _file(self, made: Any, kind: Any) -> None:
        content = self.reader.file(made.sha256)
        if len(content) != made.size:
            raise ValidationFailed("A file has another size than its row says.")
        made.path = storage.path_of(made.session_id, kind, made.pk)
        # What an attempt that was refused has left is of nobody: no row has its id.
        storage.remove(made.path)
        storage.write(made.path, content)

    def _made(self, table: Table, row: Row) -> Any:
        fields = {field.attname: field for field in table.fields()}
        if fields.keys() != row.keys():
            raise ValidationFailed(f"A row of {table.name} has other members than such a row has.")
        values = {name: self._value(fields[name], value) for name, value in row.items()}
        return table.model(**values)

    def _value(self, field: "Field[Any, Any]", value: Any) -> Any:
        if isinstance(field, ForeignKey | UUIDField):
            return None if value is None and field.null else self.id(value)
        return values.judged(field, value)

    def id(self, value: Any) -> UUID:
        """
        The id that a row of the capsule gets here.

        :raises ValidationFailed: for one that is not of the capsule
        """
        try:
            return self.ids[_uuid(value)]
        except KeyError:
            raise ValidationFailed("A row leads out of the capsule.", id=str(value)[:64]) from None


def _uuid(value: Any) -> UUID:
    found = keys.as_uuid(value) if isinstance(value, str) else None
    if found is None:
        raise ValidationFailed("An id of the capsule is none.")
    return found


def _is_taken(model: type[Model], ids: list[UUID]) -> bool:
    every = model._default_manager
    return any(
        every.filter(pk__in=ids[first : first + SLICE]).exists()
        for first in range(0, len(ids), SLICE)
    )


def _key(wanted: str, own: str, made: Session) -> str:
    keys.check(wanted or own)
    uuid = keys.as_uuid(wanted or own)
    taken = Session.objects.present().filter(team=made.team, key=wanted or own).exists()
    is_of_another = uuid not in {None, made.pk} and Session.objects.filter(pk=uuid).exists()
    if not (taken or is_of_another):
        return wanted or own
    if wanted:
        raise SessionAlreadyExists(f"A session with the key {wanted} exists.", key=wanted)
    return str(made.pk)


# What was going on where it came from does not go on here.


def _rest(table: str, made: Any) -> None:
    if table == "components" and made.state in parts.CONNECTED:
        made.state = parts.State.STOPPED.value
    elif table == "runs" and made.state in runs.OPEN:
        made.state, made.waiting_for, made.ended_at = runs.State.CANCELLED.value, "", timezone.now()
    elif table == "approvals" and made.state == approvals.State.PENDING:
        made.state, made.decided_at = approvals.State.CANCELLED.value, timezone.now()
    elif table == "tool_calls" and made.state not in tool_calls.SETTLED:
        made.state, made.ended_at = tool_calls.State.CANCELLED.value, timezone.now()


def _insert(rows: Iterable[Any]) -> None:
    held: list[Any] = []
    for row in rows:
        held.append(row)
        if len(held) == SLICE:
            _insert_some(held)
            held = []
    _insert_some(held)


def _insert_some(rows: list[Any]) -> None:
    if not rows:
        return
    every, born = type(rows[0])._default_manager, [row.created_at for row in rows if _is_dated(row)]
    every.bulk_create(rows)
    if born:
        # They came into being where they came from, and not now.
        for row, at in zip(rows, born, strict=True):
            row.created_at = at
        every.bulk_update(rows, ["created_at"])


def _is_dated(row: Model) -> bool:
    """Whether the database would say when a row came into being."""
    fields = {field.name: field for field in row._meta.concrete_fields}
    return bool(getattr(fields.get("created_at"), "auto_now_add", False))
