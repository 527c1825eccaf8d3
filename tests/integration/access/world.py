"""One of everything in team default, and everybody who may try to get at it."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from aegis_project import sealed
from aegis_project.kit.principal import ANONYMOUS, Principal
from components import auth, selectors
from components.core import scopes
from components.core.scopes import SCOPES
from components.models import Program
from components.services import credentials, roles
from components.services.registry import Expected
from sessions.models import (
    Agent,
    Budget,
    Delivery,
    Grant,
    Policy,
    Provider,
    Push,
    Session,
    Snooze,
    ToolServer,
    Trigger,
    Webhook,
)
from sessions.selectors import agents, policies
from sessions.services import bookmarks, checkpoints, creation, lifecycle, presets, tags
from sessions.services.bookmarks import Mark
from sessions.services.presets import About
from streaming.models import AuditEntry, Log
from tests import asking, factories
from tests.asking import Asking
from tests.calling import SYSTEM, Caller

# A word that stands in everything there is; whoever may not see it never reads it.
MARK = "quagga"
OWN_TABLES = ("aegis_sessions", "aegis_components", "aegis_streaming", "auth")
WRITTEN = re.compile(r'(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) "?(\w+)')
# Written when something is refused, or looked at.
ASIDE = {AuditEntry._meta.db_table}


@dataclass
class Actor:
    """Somebody who asks: by a cookie, by a secret, or as nobody."""

    name: str
    principal: Principal
    secret: str = ""
    user: User | None = None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def __post_init__(self) -> None:
        if self.user is not None:
            self.client.force_login(self.user)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"} if self.secret else {}

    @property
    def cookie(self) -> str:
        return f"sessionid={self.client.cookies['sessionid'].value}" if self.user else ""

    @property
    def is_anonymous(self) -> bool:
        return self.principal.kind == "anonymous"

    def sees(self, world: "World") -> bool:
        """Whether the rows of team default exist for them, those of its one session above all."""
        bound = self.principal.session_id
        return self.principal.sees_team(world.team.pk) and bound in {None, str(world.session.pk)}


@dataclass
class World:
    """The rows that everybody is after, under the names that addresses have for them."""

    team: Group
    session: Session
    ids: dict[str, Any] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    @cached_property
    def secrets(self) -> list[str]:
        """What nobody reads who may not: the mark, and ids of rows that nobody could guess."""
        found = {str(value) for value in self.ids.values() if len(str(value)) == 36}
        return [MARK, *sorted(found)]

    @cached_property
    def rows(self) -> dict[str, Any]:
        """All rows as they were when the world was made."""
        return snapshot()


def snapshot(tables: Collection[str] = ()) -> dict[str, list[Any]]:
    """Every row of every table that a refusal could have changed, or of these."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_models():
        name = model._meta.db_table
        is_asked = name in tables if tables else model._meta.app_label in OWN_TABLES
        if is_asked and name not in ASIDE:
            rows = model._default_manager.order_by("pk")
            fields = [one.attname for one in model._meta.concrete_fields if not is_use(one)]
            found[name] = list(rows.values_list(*fields))
    return found


def is_use(one: Any) -> bool:
    """Whether a field says when something was used last, which is noted of a refusal, too."""
    return one.name in {"last_used_at", "last_used_transport", "last_login"}


@contextmanager
def savepoint() -> Iterator[None]:
    """Whatever happens inside did not happen."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def writes() -> Iterator[set[str]]:
    """The tables that statements write to, also those that are taken back."""
    found: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if written := WRITTEN.match(sql):
            found.add(written[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def make() -> World:
    """The world: a running session with one of everything, and its actors."""
    # What is made when somebody looks for it first is there already.
    selectors.default_team()
    agents.assistant()
    policies.ready()
    team, other = factories.team("default"), factories.team("elsewhere")
    agent = asking.agent(MARK)
    session = factories.session(
        agent=agent.slug,
        key=f"{MARK}-key",
        name=f"The {MARK}",
        context={"agents": [MARK]},
        metadata={"word": MARK},
        expected=[Expected(name=f"{MARK}-feed", required=False)],
    )
    world = World(team=team, session=session)
    _people(world, other)
    _catalogue(world)
    _work(world)
    lifecycle.start(principal=SYSTEM, session=session.pk)
    world.session.refresh_from_db()
    return world


def _people(world: World, other: Group) -> None:
    add = world.actors.__setitem__
    add("anonymous", Actor("anonymous", ANONYMOUS))
    # Whoever may everything that a person can, and nothing of it here.
    stranger = User.objects.create_user("the-stranger", is_staff=True)
    stranger.groups.add(other)
    wanted = {name.partition(".")[2] for name in scopes.PERMISSIONS}
    stranger.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    add("other team", _again("stranger", stranger.pk))
    for role in scopes.ROLES:
        add(role, _person(role, world.team, role))
    elsewhere = factories.session(key="elsewhere")
    token = creation.issue_token(principal=SYSTEM, session=elsewhere.pk)
    add("component elsewhere", _bearer("component", token))
    root = User.objects.create_superuser("root")
    add("superuser", Actor("superuser", auth.of_user(root, transport="t"), user=root))
    narrow = credentials.issue(
        principal=SYSTEM,
        name="narrow",
        scopes=["sessions:read", "topics:read"],
        patterns=["other.*"],
        team_id=world.team.pk,
    )
    add("narrow", _bearer("narrow", narrow))


def _person(name: str, team: Group, *given: str) -> Actor:
    user = User.objects.create_user(f"the-{name}", is_staff=True)
    user.groups.add(team)
    for role in given:
        roles.give(principal=SYSTEM, user=user.get_username(), role=role)
    return _again(name, user.pk)


def _again(name: str, pk: int) -> Actor:
    # What somebody may do is remembered with the row.
    user = User.objects.get(pk=pk)
    return Actor(name, auth.of_user(user, transport="t"), user=user)


def _bearer(name: str, issued: credentials.Issued) -> Actor:
    return Actor(
        name, credentials.principal_of(issued.credential, transport="t"), secret=issued.secret
    )


# Rows


def _catalogue(world: World) -> None:
    """What is not of a session: agents and what they need, what leaves, what runs."""
    ids, team = world.ids, world.team
    policy = Policy.objects.create(slug=f"{MARK}-policy", name=MARK, team=team)
    agent = asking.agent(MARK)
    agent.name, agent.team, agent.visibility = MARK, team, "private"
    agent.save()
    Provider.objects.create(slug=f"{MARK}-models", base_url=f"http://127.0.0.1:9/{MARK}")
    ToolServer.objects.create(slug=f"{MARK}-tools", url=f"http://127.0.0.1:9/{MARK}")
    until = timezone.now() + timedelta(days=1)
    Snooze.objects.create(item="profile", state="notice", reason=MARK, until=until)
    program = Program.objects.create(name=f"{MARK}-program", argv=["true"], team=team)
    webhook = Webhook.objects.create(
        url=f"http://127.0.0.1:9/{MARK}", events=["run.*"], team=team, secret=sealed.seal("x")
    )
    delivery = Delivery.objects.create(
        webhook=webhook, session=world.session, seq=1, type="run.completed", state="failed"
    )
    trigger = Trigger.objects.create(
        agent=agent, session=world.session, schedule="0 0 1 1 *", prompt=MARK
    )
    issued = credentials.issue(
        principal=SYSTEM, name=f"{MARK}-credential", scopes=["sessions:read"], team_id=team.pk
    )
    desk = presets.create(
        principal=SYSTEM, about=About(slug=f"{MARK}-desk", name=MARK, team=team), recipe={}
    )
    budget = Budget.objects.create(team=team, period="day", max_tokens=10**6)
    ids |= {
        "budget": budget.pk,
        "template": desk.preset.slug,
        "preset": desk.preset.pk,
        "version": desk.preset.version,
        "agent": agent.slug,
        "provider": f"{MARK}-models",
        "tool_server": f"{MARK}-tools",
        "tool": "ask_person",
        "policy": policy.slug,
        "program": program.pk,
        "webhook": webhook.pk,
        "delivery": delivery.pk,
        "trigger": trigger.pk,
        "credential": issued.credential.pk,
        "agent_pk": agent.pk,
        "team": team.pk,
    }


def _work(world: World) -> None:
    """What is in the session: who takes part, what was said, done and asked for."""
    session, ids = world.session, world.ids
    god = Caller(_secret(world))
    base = f"/api/v1/sessions/{session.pk}"
    component = session.components.get()
    message = god.post(f"{base}/messages", {"content": f"Hello {MARK}", "answers": False}).json()
    files = {
        kind: god.client.post(
            f"{base}/{kind}s",
            {"file": SimpleUploadedFile(f"{MARK}.txt", MARK.encode())},
            headers=god.headers,
        ).json()
        for kind in ("attachment", "artifact")
    }
    address = f"{base}/artifacts/{files['artifact']['id']}/link"
    link = god.post(address, {}).json()["url"].rpartition("/")[2]
    whose = world.actors["operator"].principal
    run = asking.run(session, by=whose, of=Agent.objects.get(slug=MARK))
    approval = asking.approval(run, call=asking.asked(run, Asking(arguments={"symbol": MARK})))
    grant = Grant.objects.create(
        session=session, team=world.team, tool=MARK, approval=approval, made_by=MARK
    )
    hook = Webhook.objects.create(
        url=f"http://127.0.0.1:9/{MARK}", events=["run.*"], team=world.team, secret=sealed.seal("x")
    )
    push = Push.objects.create(webhook=hook, run=run, name="own")
    log = Log.objects.create(session=session, name=f"{MARK}.prices", epoch="e1")
    tags.put(principal=whose, session=session.pk, names=["kept"])
    kept = checkpoints.create(principal=SYSTEM, session=session.pk, label="kept")
    flag = bookmarks.create(
        principal=whose, session=session.pk, mark=Mark(seq=1, name=MARK)
    ).bookmark
    ids |= {
        "session": session.pk,
        "checkpoint": kept.pk,
        "bookmark": flag.pk,
        "tag": "kept",
        "component": component.pk,
        "topic": log.name,
        "log": log.pk,
        "message": message["id"],
        "attachment": files["attachment"]["id"],
        "artifact": files["artifact"]["id"],
        "link": link,
        "upload": god.post(f"{base}/uploads", {"name": MARK, "size": 3}).json()["id"],
        "run": run.pk,
        "task": run.pk,
        "approval": approval.pk,
        "tool_call": approval.tool_call_id,
        "grant": grant.pk,
        "push": push.name,
        "entry": AuditEntry.objects.filter(session_id=session.pk).latest("pk").pk,
    }


def _secret(world: World) -> str:
    return credentials.issue(
        principal=SYSTEM, name="god", scopes=sorted(SCOPES), team_id=world.team.pk
    ).secret
