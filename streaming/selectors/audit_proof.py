"""Whether the hash chain of the audit is whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from streaming.core import audit_chain
from streaming.core.audit_chain import Fault, Walk
from streaming.models import AuditChain, AuditEntry
from streaming.selectors.audit import SCOPE, unsealed_count

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place of the chain and the digest that was there, as somebody kept them elsewhere."""

    place: int
    digest: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a walk along the chain came to.

    ``place`` and ``digest`` are of the last entry that was found right: what to keep elsewhere to
    prove the chain by later. ``has_more`` says that the walk ended at its limit.
    """

    fault: Fault | None
    checked: int
    unsealed: int
    place: int
    digest: str
    has_more: bool

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.fault is not None:
            return f"The chain is broken. {self.fault.message}"
        return walked(self.checked, has_more=self.has_more)


def walked(count: int, *, has_more: bool = False) -> str:
    """How many entries were found right, in words."""
    entries = "entry" if count == 1 else "entries"
    return f"{count:,} {entries}{', there are more' if has_more else ', chain whole'}"


def verify(
    principal: Principal, *, after: int = 0, limit: int | None = None, kept: Anchor | None = None
) -> Verdict:
    """
    Walk along the chain behind a place, ``limit`` entries at most, up to the first that is wrong.

    The end must be where the sealer left it, and the entry of the anchor the one that was kept.

    :raises PermissionDenied: without the scope audit:read
    :raises NotFound: if there is no entry at the place to begin behind
    """
    principal.require(SCOPE)
    walk = _behind(after)
    end = _end()
    fault = _walk(walk, up_to=end.place, limit=limit)
    has_more = fault is None and limit is not None and walk.place == after + limit < end.place
    if fault is None and not has_more:
        fault = walk.end(place=end.place, digest=end.digest, keeper="the sealer") or _beyond(end)
    if fault is None and kept is not None:
        fault = _unlike(kept)
    return Verdict(
        fault=fault,
        checked=walk.place - after,
        unsealed=unsealed_count(),
        place=walk.place,
        digest=walk.digest,
        has_more=has_more,
    )


def _behind(place: int) -> Walk:
    if not place:
        return Walk()
    digests = AuditEntry.objects.filter(place=place).values_list("digest", flat=True)
    digest = digests.first()
    if digest is None:
        raise NotFound("There is no entry at this place.", place=place)
    return Walk(place=place, digest=digest)


def _end() -> AuditChain:
    return AuditChain.objects.filter(pk=AuditChain.ONLY).first() or AuditChain()


def _walk(walk: Walk, *, up_to: int, limit: int | None) -> Fault | None:
    entries = _entries(after=walk.place, up_to=up_to)
    for entry in islice(entries, limit):
        fault = walk.step(entry)
        if fault is not None:
            return fault
    return None


def _entries(*, after: int, up_to: int) -> Iterator[dict[str, Any]]:
    rows = AuditEntry.objects.filter(place__lte=up_to).order_by("place")
    while found := list(rows.filter(place__gt=after).values(*audit_chain.SEALED)[:AT_ONCE]):
        yield from found
        after = found[-1]["place"]


def _beyond(end: AuditChain) -> Fault | None:
    rows = AuditEntry.objects.filter(place__gt=end.place).order_by("place")
    first = rows.values_list("id", "place").first()
    # The sealer may have gone on meanwhile.
    if first is None or _end().place >= (first[1] or 0):
        return None
    return audit_chain.beyond(entry=first[0], place=first[1] or 0)


def _unlike(kept: Anchor) -> Fault | None:
    rows = AuditEntry.objects.filter(place__lte=kept.place).order_by("-place")
    place, digest = rows.values_list("place", "digest").first() or (0, "")
    walk = Walk(place=place or 0, digest=digest)
    return walk.end(place=kept.place, digest=kept.digest, keeper="the kept digest")
