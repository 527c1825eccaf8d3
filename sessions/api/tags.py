"""Tags: one's own and those of the system, and which a session carries."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.core import tags as words
from sessions.models import Tag
from sessions.selectors import lists
from sessions.selectors import tags as reading
from sessions.services import tags
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

TagName = Annotated[str, Meta(min_length=1, max_length=words.LONGEST)]
Color = Annotated[
    str,
    Meta(pattern="^(#[0-9A-Fa-f]{6})?$", description="As #2196f3; empty is one of the palette."),
]
About = Annotated[str, Meta(max_length=tags.LONGEST_DESCRIPTION)]


class TagDocument(Struct, kw_only=True):
    """
    A short label; those of the system do not change.

    `use_count` counts the sessions that you may see.
    """

    name: str
    color: str
    description: str
    is_system: bool
    use_count: int
    created_at: Timestamp


class TagList(Struct, kw_only=True):
    """Tags."""

    data: list[TagDocument]


class TagInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A tag of your own; its name is kept in small letters with dashes between its words."""

    name: TagName
    color: Color = ""
    description: About = ""


class TagChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a tag; its name stays."""

    color: Color | UnsetType = UNSET
    description: About | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """Only what was said."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


class TagsInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Tags to put on a session; those that there are not become yours."""

    tags: Annotated[list[TagName], Meta(min_length=1, max_length=words.MOST_ON_A_SESSION)]


class SessionTagList(Struct, kw_only=True):
    """The tags of a session, in the order in which they came."""

    data: list[str]


class Tags(Endpoint):
    """Your tags and those of the system."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"name": "needs-review", "color": "#f57c00"}}

    @operation("tags.list", tag="tags", answers={200: TagList})
    def get(self, _request: Request) -> Response:
        """List tags, those of the system first, then by name."""
        rows = reading.readable(self.principal).order_by("owner", "name", "pk")
        return _several(rows)

    @operation("tags.create", tag="tags", body=TagInput, answers={201: TagDocument})
    @once
    def post(self, _request: Request) -> Response:
        """Make a tag of your own."""
        order = self.ordered(TagInput)
        made = tags.create(
            principal=self.principal,
            name=order.name,
            color=order.color,
            description=order.description,
        )
        return Response(shown(made.tag), status=201)


class Popular(Endpoint):
    """The tags that are used most."""

    @operation("tags.popular", tag="tags", answers={200: TagList})
    def get(self, _request: Request) -> Response:
        """List the ten tags that are used most in the sessions that you may see."""
        return _several(reading.popular(self.principal))


class OneTag(Endpoint):
    """One tag, by its name."""

    examples: ClassVar[Mapping[str, Any]] = {"PATCH": {"color": "#303f9f"}}

    @operation("tags.read", tag="tags", answers={200: TagDocument})
    def get(self, _request: Request, tag: str) -> Response:
        """Read a tag."""
        return Response(shown(reading.find(self.principal, tag)))

    @operation("tags.change", tag="tags", body=TagChanges, answers={200: TagDocument})
    def patch(self, _request: Request, tag: str) -> Response:
        """Change the colour or description of your tag."""
        changes = self.ordered(TagChanges).given()
        tags.change(principal=self.principal, tag=tag, changes=changes)
        return Response(shown(reading.find(self.principal, tag)))

    @operation("tags.remove", tag="tags", answers={204: None})
    def delete(self, _request: Request, tag: str) -> Response:
        """Remove your tag, also from the sessions that carry it."""
        tags.remove(principal=self.principal, tag=tag)
        return Response(status=204)


class SessionTags(Endpoint):
    """The tags of a session."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"tags": ["important", "needs-review"]}}

    @operation("sessions.tags.list", tag="tags", answers={200: SessionTagList})
    def get(self, _request: Request, session: str) -> Response:
        """List the tags that a session carries."""
        return Response({"data": lists.read(self.principal, session).tags})

    @operation("sessions.tags.put", tag="tags", body=TagsInput, answers={200: SessionTagList})
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Put tags on a session, in whatever state it is; it carries each name once."""
        names = self.ordered(TagsInput).tags
        done = tags.put(principal=self.principal, session=session, names=names)
        return Response({"data": done.names})


class SessionTag(Endpoint):
    """One tag of a session."""

    @operation("sessions.tags.remove", tag="tags", answers={204: None})
    def delete(self, _request: Request, session: str, tag: str) -> Response:
        """Take a tag off a session."""
        tags.take_off(principal=self.principal, session=session, name=tag)
        return Response(status=204)


class SuggestedTags(Endpoint):
    """Tags that would suit a session."""

    @operation("sessions.tags.suggested", tag="tags", answers={200: TagList})
    def get(self, _request: Request, session: str) -> Response:
        """List at most five tags that would suit, by its name and what was said in it."""
        return _several(reading.suggested(self.principal, session))


def _several(rows: Iterable[Tag]) -> Response:
    return Response({"data": [shown(one) for one in rows]})


def shown(row: Tag) -> dict[str, Any]:
    """A tag as every interface shows it; one that was just made is not used yet."""
    return codecs.show(
        TagDocument(
            name=row.name,
            color=row.color,
            description=row.description,
            is_system=row.is_system,
            use_count=getattr(row, "use_count", 0),
            created_at=row.created_at,
        )
    )
