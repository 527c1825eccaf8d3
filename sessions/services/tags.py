"""Making tags, and putting them on sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import tags, texts
from sessions.core.events import SessionEvent
from sessions.core.library_errors import TagAlreadyExists, TagNotFound
from sessions.models import Session, SessionTag, Tag
from sessions.selectors import tags as reading
from sessions.services import moving, telling
from sessions.services.moving import Reference
from streaming.services.commands import Trace, command

SCOPE = "sessions:write"
EDITABLE = ("color", "description")
LONGEST_DESCRIPTION = 200


@dataclass(frozen=True, slots=True)
class Changed:
    """A tag that was made, changed or removed."""

    tag: Tag

    def audit(self) -> Trace:
        return Trace(session_id=None, target=self.tag.name, detail={"color": self.tag.color})


@dataclass(frozen=True, slots=True)
class Tagged:
    """A session, and the tags that were put on it or taken off."""

    session: Session
    names: list[str]
    reason: str = ""

    def audit(self) -> Trace:
        detail: dict[str, Any] = {"tags": self.names}
        if self.reason:
            detail["reason"] = self.reason
        return Trace(session_id=self.session.pk, target=self.session.key, detail=detail)


@command("tag.create", scope=SCOPE)
def create(*, principal: Principal, name: str, color: str = "", description: str = "") -> Changed:
    """
    Make a tag of one's own; without a colour it gets one of the palette.

    :raises ValidationFailed: for a name, colour or description that cannot be
    :raises TagAlreadyExists: if the principal has one of this name, or the system
    """
    written = tags.normal(name)
    reading.ready()
    if Tag.objects.of_owner(principal.id).filter(name=written).exists():
        raise TagAlreadyExists(f"A tag {written} exists.", tag=written)
    _check_description(description)
    tag = Tag(
        name=written,
        color=tags.colour(color, name=written),
        description=description,
        owner=principal.id,
    )
    try:
        with transaction.atomic():
            tag.save()
    except IntegrityError:
        raise TagAlreadyExists(f"A tag {written} exists.", tag=written) from None
    return Changed(tag)


@command("tag.change", scope=SCOPE)
def change(*, principal: Principal, tag: str, changes: Mapping[str, Any]) -> Changed:
    """
    Change the colour or the description of one's own tag.

    :raises TagNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is of the system
    :raises ValidationFailed: for another field, or a value that cannot be
    """
    row = _own(principal, tag)
    unknown = sorted(changes.keys() - set(EDITABLE))
    if unknown:
        raise ValidationFailed("Only colour and description of a tag change.", fields=unknown)
    if "color" in changes:
        row.color = tags.colour(changes["color"], name=row.name)
    row.description = changes.get("description", row.description)
    _check_description(row.description)
    row.save()
    return Changed(row)


@command("tag.remove", scope=SCOPE)
def remove(*, principal: Principal, tag: str) -> Changed:
    """
    Remove one's own tag, also from the sessions that carry it.

    :raises TagNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is of the system
    """
    row = _own(principal, tag)
    for session_id in list(row.uses.values_list("session", flat=True)):
        session = Session.objects.select_for_update(no_key=True).get(pk=session_id)
        session.tags = [name for name in session.tags if name != row.name]
        session.save(update_fields=["tags"])
    removed = Changed(Tag.objects.get(pk=row.pk))
    row.delete()
    return removed


@command("session.tag", scope=SCOPE)
def put(
    *, principal: Principal, session: Reference, names: Sequence[str], reason: str = ""
) -> Tagged:
    """
    Put tags on a session in whatever state; own ones are made if there are none of these names.

    A session carries each name once, whoever put it there, and 20 at most.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ValidationFailed: for a name that cannot be, or too many
    """
    texts.check(reason=reason)
    row = moving.locked(principal, session)
    put_on(row, principal=principal, names=names)
    return Tagged(row, row.tags, reason)


def put_on(row: Session, *, principal: Principal, names: Sequence[str]) -> None:
    """The same in the transaction of another command, which locked the session or made it."""
    wanted = tags.joined(row.tags, map(tags.normal, names))
    new = wanted[len(row.tags) :]
    if not new:
        return
    reading.ready()
    for name in new:
        SessionTag.objects.create(session=row, tag=_of(principal, name), author=principal.actor)
    _keep(row, wanted, principal)


@command("session.untag", scope=SCOPE)
def take_off(*, principal: Principal, session: Reference, name: str, reason: str = "") -> Tagged:
    """
    Take a tag off a session, whoever put it there.

    :raises SessionNotFound: if the session is not there for the principal
    :raises TagNotFound: if the session does not carry it
    """
    texts.check(reason=reason)
    row = moving.locked(principal, session)
    written = tags.normal(name)
    if written not in row.tags:
        raise TagNotFound(f"The session does not carry {written}.", tag=written)
    SessionTag.objects.filter(session=row, tag__name=written).delete()
    _keep(row, [one for one in row.tags if one != written], principal)
    return Tagged(row, row.tags, reason)


def _keep(row: Session, names: list[str], principal: Principal) -> None:
    row.tags = names
    row.save(update_fields=["tags", "updated_at"])
    telling.tell(row, SessionEvent.UPDATED, actor=principal.actor, fields=["tags"])


def _of(principal: Principal, name: str) -> Tag:
    found = Tag.objects.of_owner(principal.id).filter(name=name).order_by("owner").first()
    if found is not None:
        return found
    made = {"color": tags.colour("", name=name)}
    return Tag.objects.get_or_create(owner=principal.id, name=name, defaults=made)[0]


def _own(principal: Principal, name: str) -> Tag:
    found = reading.find(principal, name)
    if found.is_system:
        raise PermissionDenied("A tag of the system does not change.", tag=found.name)
    return Tag.objects.select_for_update().get(pk=found.pk)


def _check_description(text: str) -> None:
    if len(text) > LONGEST_DESCRIPTION or "\x00" in text:
        raise ValidationFailed(
            f"A description has at most {LONGEST_DESCRIPTION} characters.", field="description"
        )
