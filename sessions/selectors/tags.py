"""Reading tags: which there are for somebody, how much they are used, which would suit."""

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from aegis_project import database
from aegis_project.kit.principal import Principal
from sessions.core import tags
from sessions.core.library_errors import TagNotFound
from sessions.models import Message, Session, SessionTag, Tag
from sessions.selectors import sessions

# As much of a conversation as a suggestion is made from.
MESSAGES_READ = 20


def readable(principal: Principal) -> QuerySet[Tag]:
    """
    The tags of the system and those of the principal, each with its ``use_count``.

    Only sessions that exist for the principal count.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    ready()
    seen = Q(uses__session__in=sessions.visible(principal).values("pk"))
    rows = Tag.objects.of_owner(principal.id)
    return rows.annotate(use_count=Count("uses", filter=seen, distinct=True))


def find(principal: Principal, name: str) -> Tag:
    """
    One tag by its name, however it is written; one of the system goes before an own one.

    :raises PermissionDenied: without the scope sessions:read
    :raises TagNotFound: if it is not there for the principal
    :raises ValidationFailed: for what is no name of a tag
    """
    found = readable(principal).filter(name=tags.normal(name)).order_by("owner").first()
    if found is None:
        raise TagNotFound(tag=name[: tags.LONGEST])
    return found


def popular(principal: Principal, *, limit: int = tags.POPULAR) -> list[Tag]:
    """
    The tags that are used most, and those of the system among equals first.

    :raises PermissionDenied: without the scope sessions:read
    """
    return list(readable(principal).order_by(F("use_count").desc(), "owner", "pk")[:limit])


def suggested(principal: Principal, session: str) -> list[Tag]:
    """
    At most five tags that would suit a session, by its name and the beginning of what was said.

    :raises PermissionDenied: without the scopes sessions:read and messages:read
    :raises SessionNotFound: if it is not there for the principal
    """
    principal.require("messages:read")
    row = sessions.find(principal, session)
    known = {tag.name: tag for tag in popular(principal, limit=200) if tag.name not in row.tags}
    wanted = tags.suited(_text(row), ((tag.name, tag.description) for tag in known.values()))
    return [known[name] for name in wanted]


def _text(session: Session) -> str:
    rows = Message.objects.of_session(session.pk)[:MESSAGES_READ]
    return " ".join([session.name, *rows.values_list("content", flat=True)])


def ready() -> None:
    """Let the tags be there that exist without being made."""
    known = set(Tag.objects.filter(owner="").values_list("name", flat=True))
    missing = [name for name in tags.SYSTEM if name not in known]
    if not missing:
        return
    with database.atomic():
        for name in missing:
            Tag.objects.get_or_create(owner="", name=name, defaults={"color": tags.SYSTEM[name]})


def carrying(rows: QuerySet[Session], name: str) -> QuerySet[Session]:
    """
    The sessions that carry a tag of this name, whoever put it there.

    :raises ValidationFailed: for what is no name of a tag
    """
    uses = SessionTag.objects.filter(session=OuterRef("pk"), tag__name=tags.normal(name))
    return rows.filter(Exists(uses))
