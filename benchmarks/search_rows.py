"""The rows of the benchmark of search, and what is measured over them."""

import random
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from aegis_project import database
from aegis_project.kit import principal as principals
from aegis_project.kit.principal import Principal
from sessions.core.conversation import Role
from sessions.models import Message, Session
from sessions.selectors import search
from sessions.selectors.search import Wanted
from sessions.services import creation, messages
from sessions.services.creation import Draft

SYSTEM = principals.system("benchmark")
WORDS, SHORTEST, LONGEST = 4000, 5, 60
SESSIONS, SLICE, ROUNDS, APPENDS = 100, 2000, 15, 300
QUERIES = {
    "a rare word": "w3999",
    "a common word": "w0",
    "two common words": "w1 w7",
    "three words": "w2 w9 w30",
    "a beginning": "w39*",
    "a common beginning": "w1*",
    "one letter": "w*",
    "words nobody said": "zzzz yyyy",
}


def run(count: int) -> None:
    """Everything, on the terminal."""
    call_command("migrate", verbosity=0)
    rows = [_session(number) for number in range(SESSIONS)]
    began = time.perf_counter()
    for some in _slices(rows, count):
        with database.atomic():
            Message.objects.bulk_create(some)
    print(f"{connection.vendor}: {count} messages in {time.perf_counter() - began:.1f} s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    member = Principal(
        kind="user", id="user:b", label="b", scopes=SYSTEM.scopes,
        teams=frozenset({rows[0].team_id}),
    )  # fmt: skip
    for name, text in QUERIES.items():
        _measure(f"{name}, everything", SYSTEM, text, Wanted())
        _measure(f"{name}, a team", member, text, Wanted())
        _measure(f"{name}, one session", member, text, Wanted(session=rows[0].key))
    _measure("a common word, newest", SYSTEM, "w0", Wanted(sort="newest"))
    _appends(rows[0])


def _session(number: int) -> Session:
    draft = Draft(key=f"bench-{number}", name=f"Session {number}")
    return creation.create(principal=SYSTEM, draft=draft).session


def _slices(rows: list[Session], count: int) -> Iterator[list[Message]]:
    chance = random.Random(1)  # noqa: S311 -- the same texts every time
    # Few words are common and most are rare, as in life.
    weights = [1 / (rank + 1) for rank in range(WORDS)]
    # One a second, as people and agents talk: that all come at one moment is no conversation.
    begin = timezone.now() - timedelta(seconds=count)
    for first in range(0, count, SLICE):
        yield [
            Message(
                session=rows[number % SESSIONS],
                place=number // SESSIONS + 1,
                role=Role.USER.value,
                content=" ".join(
                    f"w{n}"
                    for n in chance.choices(
                        range(WORDS), weights, k=chance.randint(SHORTEST, LONGEST)
                    )
                ),
                created_at=begin + timedelta(seconds=number),
            )
            for number in range(first, min(first + SLICE, count))
        ]


def _measure(name: str, principal: Principal, text: str, wanted: Wanted) -> None:
    spent, found, worked = [], 0, time.process_time()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = len(search.find(principal, text, wanted).hits)
        spent.append((time.perf_counter() - began) * 1000)
    # On a busy machine the clock says more of the others than of us.
    work = (time.process_time() - worked) * 1000 / ROUNDS
    middle, worst = statistics.median(spent), max(spent)
    print(
        f"{name:36} {found:3} hits  p50 {middle:6.1f} ms  max {worst:6.1f}  of it ours {work:6.1f}"
    )


def _appends(session: Session) -> None:
    """What an append costs with the index, and on SQLite without it."""
    print(f"append with the index    {_append(session):.3f} ms")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER message_is_searched")
        print(f"append without the index {_append(session):.3f} ms")


def _append(session: Session) -> float:
    # Behind all places that were given away without counting.
    session.message_count = Message.objects.filter(session=session).order_by("-place")[0].place
    session.save(update_fields=["message_count"])
    spent = []
    for number in range(APPENDS):
        with database.atomic():
            row = Session.objects.locked(session.pk)
            began = time.perf_counter()
            messages.append(
                row, role=Role.USER, content=f"w{number} some more", author="system:benchmark"
            )
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)
