"""What the demo made, and nothing else: found again, and removed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from components.models import Credential
from components.services import credentials
from sessions.core.flash_dip import words
from sessions.core.lifecycle import Kind
from sessions.management import demo_company
from sessions.management.demo_company import PRINCIPAL
from sessions.models import Agent, Policy, Session, SessionTag, Tag, Trigger
from sessions.services import agents, lifecycle, policy_catalogue, tags, triggers


@dataclass(frozen=True, slots=True)
class Made:
    """What there is of the demo."""

    sessions: list[Session]
    agents: list[Agent]
    policies: list[Policy]
    triggers: list[Trigger]
    tags: list[Tag]
    credentials: list[Credential]

    def words(self) -> dict[str, list[str]]:
        """How each of it is called, by kind."""
        return {
            "sessions": [row.key for row in self.sessions],
            "agents": [row.slug for row in self.agents],
            "policies": [row.slug for row in self.policies],
            "triggers": [str(row.pk) for row in self.triggers],
            "tags": [row.name for row in self.tags],
            "credentials": [row.prefix for row in self.credentials],
        }


def found() -> Made:
    """What there is of the demo now; the name of the tag alone makes nothing the demo's."""
    sessions = list(_sessions().order_by("created_at"))
    mine = demo_company.agents_of()
    return Made(
        sessions=sessions,
        agents=mine,
        policies=demo_company.policies_of(),
        triggers=list(Trigger.objects.filter(agent__in=mine, session__in=sessions)),
        tags=list(Tag.objects.filter(name=words.TAG, owner__in=list(_owners()))),
        credentials=list(_credentials().filter(revoked_at=None)),
    )


def chat() -> str:
    """The open chat of the demo that was made last; empty if there is none."""
    mine = _sessions().filter(kind=Kind.CHAT.value, pk__in=Session.objects.open())
    row = mine.order_by("-created_at").first()
    return str(row.pk) if row else ""


def remove(made: Made) -> None:
    """
    Remove it: sessions are ended and hidden, as whenever one is deleted, everything else is gone.

    :raises PolicyInUse: if somebody gave the policy to an agent of their own
    """
    for session in made.sessions:
        lifecycle.delete(principal=PRINCIPAL, session=session)
    for trigger in made.triggers:
        triggers.remove(principal=PRINCIPAL, trigger=trigger.pk)
    for agent in made.agents:
        agents.remove(principal=PRINCIPAL, agent=agent.slug)
    for policy in made.policies:
        policy_catalogue.remove(principal=PRINCIPAL, policy=policy.slug)
    for credential in made.credentials:
        credentials.revoke(principal=PRINCIPAL, credential=credential.pk)
    for tag in made.tags:
        _remove_tag(tag)


def _remove_tag(tag: Tag) -> None:
    # One that a credential of the demo made is its owner's to remove.
    tags.remove(principal=replace(PRINCIPAL, id=tag.owner), tag=tag.name)


def _sessions() -> QuerySet[Session]:
    uses = SessionTag.objects.filter(tag__name=words.TAG, tag__owner__in=list(_owners()))
    return Session.objects.present().filter(pk__in=uses.values("session"))


def _credentials() -> QuerySet[Credential]:
    # Nobody else is called as Aegis itself.
    mine = Credential.objects.filter(created_by=PRINCIPAL.actor, session=None)
    return mine.filter(name__startswith=f"{words.TAG}-")


def _owners() -> Iterator[str]:
    yield PRINCIPAL.id
    for pk in _credentials().values_list("pk", flat=True):
        yield f"credential:{pk}"
