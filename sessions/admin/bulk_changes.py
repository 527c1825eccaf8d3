"""Bulk changes of the session list: tags put on and taken off, and owners."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from sessions.admin import bulk, reasons
from sessions.admin.bulk import Action, Refusal
from sessions.core import tags as words
from sessions.core.company import SHARED
from sessions.models import Session
from sessions.selectors import owners
from sessions.selectors import tags as reading
from sessions.services import assigning, tags

LONGEST = 1200
CARRIED = 20


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form: what is said in it, and what can be chosen for it."""

    name: str
    label: str
    help: str
    value: str
    offered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """A session and what the change means for it: nothing at all without words."""

    session: Session
    happens: str
    error: AegisError | None = None

    @property
    def chip(self) -> SafeString:
        """Its state."""
        return marks.chip(self.session.state, marks.SESSION)

    @property
    def is_changed(self) -> bool:
        """Whether the session would be otherwise."""
        return bool(self.happens) and self.error is None


class Change(ABC):
    """What somebody wants to be otherwise in several sessions, of the form in which it is said."""

    verb: ClassVar[str]
    label: ClassVar[str]
    past: ClassVar[str]
    same: ClassVar[str]
    effect: ClassVar[str]

    def __init__(self, request: HttpRequest, rows: Sequence[Session]) -> None:
        self.principal: Principal = asking(request)
        self.rows = rows
        self.said = {
            name: request.POST.get(name, "").strip()[:LONGEST] for name in self.field_names
        }

    field_names: ClassVar[tuple[str, ...]]

    @property
    def is_said(self) -> bool:
        """Whether there is anything to do."""
        return any(self.said.values())

    @abstractmethod
    def fields(self) -> list[Field]:
        """The fields of its form."""

    @abstractmethod
    def check(self) -> None:
        """
        Go on only with what can be meant.

        :raises ValidationFailed: otherwise
        """

    @abstractmethod
    def fate(self, row: Session) -> Fate:
        """What it would do to a session."""

    @abstractmethod
    def carry_out(self, row: Session, reason: str) -> None:
        """Do it, by the commands of one session."""


class Tagging(Change):
    """Tags to put on, and tags to take off."""

    verb, label, past = "tag", "Tag", "tagged"
    same = "It has these tags."
    effect = "Changes the tags alone. A tag that you do not have yet becomes yours."
    field_names = ("add", "remove")

    def fields(self) -> list[Field]:
        carried = sorted({name for row in self.rows for name in row.tags})
        now = f"Carried now: {', '.join(carried[:CARRIED])}" if carried else "They carry none."
        more = ", …" if len(carried) > CARRIED else ""
        known = [tag.name for tag in reading.popular(self.principal)]
        return [
            Field("add", "Put on", "Names with commas between", self.said["add"], known),
            Field("remove", "Take off", now + more, self.said["remove"], carried[:CARRIED]),
        ]

    def check(self) -> None:
        both = sorted(set(self.add) & set(self.remove))
        if both:
            raise ValidationFailed(f"{', '.join(both)} cannot be put on and taken off at once.")

    @property
    def add(self) -> list[str]:
        """The tags to put on."""
        return _names(self.said["add"])

    @property
    def remove(self) -> list[str]:
        """The tags to take off."""
        return _names(self.said["remove"])

    def fate(self, row: Session) -> Fate:
        gains, loses = self._of(row)
        parts = [f"gets {', '.join(gains)}"] if gains else []
        parts += [f"loses {', '.join(loses)}"] if loses else []
        happens = "; ".join(parts)
        try:
            words.joined([name for name in row.tags if name not in loses], gains)
        except AegisError as error:
            return Fate(row, happens, error)
        return Fate(row, happens[:1].upper() + happens[1:])

    def carry_out(self, row: Session, reason: str) -> None:
        gains, loses = self._of(row)
        asked: dict[str, Any] = {"principal": self.principal, "session": row.pk, "reason": reason}
        for name in loses:
            tags.take_off(**asked, name=name)
        if gains:
            tags.put(**asked, names=gains)

    def _of(self, row: Session) -> tuple[list[str], list[str]]:
        gains = [name for name in self.add if name not in row.tags]
        return gains, [name for name in self.remove if name in row.tags]


def _names(said: str) -> list[str]:
    return list(dict.fromkeys(words.normal(one) for one in said.split(",") if one.strip()))


class Assigning(Change):
    """Whose they are to be."""

    verb, label, past = "assign", "Assign", "assigned"
    same = "It is theirs already."
    effect = "Changes whose they are. Who sees them and what runs in them stays."
    field_names = ("owner",)

    def fields(self) -> list[Field]:
        known = [SHARED, *owners.suggested({row.team_id for row in self.rows})]
        about = f"A person of the team by name, or {SHARED}: the team itself"
        return [Field("owner", "Owner", about, self.said["owner"], known)]

    def check(self) -> None:
        """Whoever it is, each session says whether they can be its owner."""

    def fate(self, row: Session) -> Fate:
        now = owners.name(row)
        try:
            assigning.check(row, self.said["owner"])
        except AegisError as error:
            return Fate(row, "", error)
        to = self.said["owner"]
        return Fate(row, "" if to == now else f"From {now or 'nobody'} to {to}")

    def carry_out(self, row: Session, reason: str) -> None:
        assigning.assign(
            principal=self.principal, session=row.pk, owner=self.said["owner"], reason=reason
        )


def _action(change: type[Change]) -> Action:
    @admin.action(description=f"{change.label}…", permissions=[change.verb])
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse:
        wanted = change(request, bulk.chosen(queryset))
        try:
            wanted.check()
        except AegisError as error:
            return _page(model_admin, request, wanted, problem=error.message)
        # What was changed in the form since it was shown is shown first.
        is_seen = request.POST.get("seen", "") == _digest(wanted)
        if request.POST.get("confirm") and is_seen:
            return _carry_out(model_admin, request, wanted)
        return _page(model_admin, request, wanted, fates=[wanted.fate(row) for row in wanted.rows])

    act.__name__ = change.verb
    return act


tag, assign = _action(Tagging), _action(Assigning)


def _digest(wanted: Change) -> str:
    return " | ".join(wanted.said.values()) if wanted.is_said else ""


def _page(
    model_admin: Any,
    request: HttpRequest,
    wanted: Change,
    *,
    fates: Sequence[Fate] = (),
    problem: str = "",
) -> HttpResponse:
    changed = [fate for fate in fates if fate.is_changed] if wanted.is_said else []
    context = {
        **_shared(wanted),
        "fields": wanted.fields(),
        "changed": changed,
        "others": [fate for fate in fates if fate not in changed],
        "is_shown": bool(fates) and wanted.is_said,
        "seen": _digest(wanted),
        "environments": bulk.environments(fate.session for fate in changed),
        "states": bulk.states(fate.session for fate in changed),
        "effect": wanted.effect,
        "same": wanted.same,
        "needs_reason": reasons.is_needed(*(fate.session for fate in changed)),
        "reason": request.POST.get("reason", ""),
        "problem": problem,
        **bulk.selected(wanted.rows),
    }
    return bulk.render(model_admin, request, "bulk_change", context)


def _carry_out(model_admin: Any, request: HttpRequest, wanted: Change) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:500]
    fates = [wanted.fate(row) for row in wanted.rows]
    # Whoever would be refused is asked for, too: the service says why, and the audit has it.
    touched = [fate.session for fate in fates if fate.is_changed or fate.error]
    if not reason and reasons.is_needed(*touched):
        return _page(model_admin, request, wanted, fates=fates, problem=reasons.PRODUCTION)
    done, refused = [], []
    for row in touched:
        try:
            wanted.carry_out(row, reason)
            done.append(row)
        except AegisError as error:
            refused.append(Refusal(row, error.message, error.code))
    context = {
        **_shared(wanted),
        "done": done,
        "refused": refused,
        "past": wanted.past,
        "said": {**wanted.said, "seen": _digest(wanted)},
        "selected": [str(refusal.session.pk) for refusal in refused],
        "reason": reason,
    }
    return bulk.render(model_admin, request, "bulk_done", context)


def _shared(wanted: Change) -> dict[str, Any]:
    return {"verb": wanted.verb, "label": wanted.label}
