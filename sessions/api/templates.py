"""Templates: their versions, and what differs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import Group
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import template_documents as documents
from sessions.api.collection import version as version_of
from sessions.api.template_documents import (
    ActivateInput,
    DifferenceList,
    DifferenceQuery,
    ExportDocument,
    FromSessionInput,
    TemplateChanges,
    TemplateDocument,
    TemplateInput,
    TemplatePage,
    TemplateVersionList,
    VersionDocument,
    VersionQuery,
)
from sessions.models import Preset
from sessions.selectors import presets as reading
from sessions.selectors import teams
from sessions.services import presets
from sessions.services.presets import About
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery
from streaming.api.schema import VERSION, operation
from streaming.selectors import pages

TEMPLATE = {"slug": "desk", "name": "Desk", "recipe": documents.EXAMPLE}


class Templates(Endpoint):
    """The templates that you may use."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": TEMPLATE}

    @operation(
        "templates.list",
        tag="templates",
        query=PageQuery,
        fields=TemplateDocument,
        answers={200: TemplatePage},
    )
    def get(self, _request: Request) -> Response:
        """List templates, the newest first."""
        query = self.asked(PageQuery)
        rows = reading.readable(self.principal)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        found = [codecs.show(documents.template(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(found, query.fields, TemplateDocument), "next": page.next}
        )

    @operation(
        "templates.create", tag="templates", body=TemplateInput, answers={201: TemplateDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Make a template."""
        order = self.ordered(TemplateInput)
        made = presets.create(
            principal=self.principal,
            about=_about(self, order),
            recipe=order.recipe,
            note=order.note,
        )
        return _answer(made.preset, status=201)


class FromSession(Endpoint):
    """A template from a session."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"slug": "desk", "session": "btc"}}

    @operation(
        "templates.from_session",
        tag="templates",
        body=FromSessionInput,
        answers={201: TemplateDocument},
    )
    @once
    def post(self, _request: Request) -> Response:
        """Make a template from a session as it is."""
        order = self.ordered(FromSessionInput)
        made = presets.from_session(
            principal=self.principal,
            about=_about(self, order),
            session=order.session,
            messages=order.messages,
        )
        return _answer(made.preset, status=201)


class Import(Endpoint):
    """A template that was exported."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"format": reading.FORMAT, **TEMPLATE}}

    @operation(
        "templates.import", tag="templates", body=ExportDocument, answers={201: TemplateDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Make a template from what another Aegis exported; it is of your only team."""
        order = self.ordered(ExportDocument)
        made = presets.create(
            principal=self.principal,
            about=_about(self, order),
            recipe=order.recipe,
            note="imported",
        )
        return _answer(made.preset, status=201)


class OneTemplate(Endpoint):
    """One template, by its slug."""

    examples: ClassVar[Mapping[str, Any]] = {
        "PATCH": {"recipe": documents.EXAMPLE, "note": "Records its topics."}
    }

    @operation("templates.read", tag="templates", answers={200: TemplateDocument})
    def get(self, _request: Request, template: str) -> Response:
        """Read a template; its ETag is what If-Match of a change takes."""
        return _answer(reading.find(self.principal, template))

    @operation(
        "templates.change",
        tag="templates",
        body=TemplateChanges,
        parameters=[VERSION],
        answers={200: TemplateDocument},
    )
    def patch(self, request: Request, template: str) -> Response:
        """Change a template; a recipe becomes a new version. Sessions keep what they have."""
        order = self.ordered(TemplateChanges)
        changed = presets.change(
            principal=self.principal,
            template=template,
            changes=order.given(),
            recipe=order.recipe,
            note=order.note,
            version=version_of(request.headers.get("If-Match", "")),
        )
        return _answer(changed.preset)

    @operation("templates.remove", tag="templates", answers={204: None})
    def delete(self, _request: Request, template: str) -> Response:
        """Remove a template with its versions; sessions stay as they are."""
        presets.remove(principal=self.principal, template=template)
        return Response(status=204)


class Versions(Endpoint):
    """The versions of a template."""

    @operation("templates.versions", tag="templates", answers={200: TemplateVersionList})
    def get(self, _request: Request, template: str) -> Response:
        """List versions with their recipes, the newest first; 100 at most."""
        row = reading.find(self.principal, template)
        found = [documents.version(one, active=row.version) for one in reading.versions(row)[:100]]
        return Response({"data": [codecs.show(one) for one in found]})


class OneVersion(Endpoint):
    """One version of a template."""

    @operation("templates.version", tag="templates", answers={200: VersionDocument})
    def get(self, _request: Request, template: str, version: str) -> Response:
        """Read a version with its recipe."""
        row = reading.find(self.principal, template)
        # Nobody's version is 0, nor any other text.
        found = reading.version_of(row, int(version) if version.isdecimal() else 0)
        return Response(codecs.show(documents.version(found, active=row.version)))


class Differences(Endpoint):
    """What differs between two versions."""

    @operation(
        "templates.diff", tag="templates", query=DifferenceQuery, answers={200: DifferenceList}
    )
    def get(self, _request: Request, template: str) -> Response:
        """List the places at which two versions of a template differ."""
        row = reading.find(self.principal, template)
        query = self.asked(DifferenceQuery)
        found = reading.difference(row, query.before, query.after)
        answer = DifferenceList(
            before=query.before,
            after=query.after or row.version,
            data=[documents.difference(one) for one in found],
        )
        return Response(codecs.show(answer))


class Export(Endpoint):
    """A template as a document for another Aegis."""

    @operation(
        "templates.export", tag="templates", query=VersionQuery, answers={200: ExportDocument}
    )
    def get(self, _request: Request, template: str) -> Response:
        """Read a version as what `import` takes."""
        row = reading.find(self.principal, template)
        query = self.asked(VersionQuery)
        return Response(reading.exported(row, query.version))


class Activate(Endpoint):
    """The version in use."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"version": 1}}

    @operation(
        "templates.activate", tag="templates", body=ActivateInput, answers={200: TemplateDocument}
    )
    @once
    def post(self, _request: Request, template: str) -> Response:
        """Let a version, an older one too, be the one that sessions are made from."""
        number = self.ordered(ActivateInput).version
        done = presets.activate(principal=self.principal, template=template, version=number)
        return _answer(done.preset)


def _about(view: Endpoint, order: TemplateInput | FromSessionInput | ExportDocument) -> About:
    return About(
        slug=order.slug,
        name=order.name,
        description=order.description,
        category=order.category.value,
        team=_team(view, getattr(order, "team", "")),
    )


def _team(view: Endpoint, name: str) -> Group | None:
    if not name and view.principal.teams is None:
        return None
    return teams.for_new(view.principal, name)


def _answer(row: Preset, *, status: int = 200) -> Response:
    response = Response(
        codecs.show(documents.template(row)), status=status, headers={"ETag": f'"{row.head}"'}
    )
    if status == 201:
        response["Location"] = f"/api/v1/templates/{row.slug}"
    return response
