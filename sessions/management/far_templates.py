"""`aegis template` against a server that was named."""

from typing import Any

from sessions.core.recipes import Category
from sessions.management import listing, output, session_options, template_tables
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How
from sessions.management.template_tables import SHAPE


def show(
    server: Client, *, template: str, number: int | None, is_json: bool, is_quiet: bool
) -> None:
    """A template there with its recipe."""
    row = server.get("templates", template)
    version = server.get("templates", template, "versions", str(number or row["version"]))
    template_tables.card(row, version["recipe"], How(is_json, is_quiet))


def versions(server: Client, *, template: str, is_json: bool, is_quiet: bool) -> None:
    """The versions of a template there."""
    rows = server.get("templates", template, "versions")["data"]
    template_tables.show_versions(rows, How(is_json, is_quiet))


def diff(
    server: Client,
    *,
    template: str,
    before: int,
    after: int | None,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Where two versions of a template there differ."""
    asked = {"before": before} | ({"after": after} if after else {})
    found = server.get("templates", template, "diff", **asked)
    template_tables.show_differences(found["data"], How(is_json, is_quiet))


def on_paper(
    server: Client, *, template: str, number: int | None, is_json: bool, is_quiet: bool
) -> None:
    """Try a template there on paper."""
    body = {"version": number} if number else {}
    row = server.send("POST", "templates", template, "test", body=body)
    tell_trial(How(is_json, is_quiet), row)


def tell_trial(how: How, row: Document) -> None:
    """The session in which a template is tried."""
    sentence = f"{output.state(row['state'])}  {row['key']}"
    output.show_one(how, "template.test", row, identity=str(row["id"]), sentence=sentence)


def export(server: Client, *, template: str, number: int | None) -> None:
    """A template there as a document for another Aegis."""
    output.line(
        server.get("templates", template, "export", **({"version": number} if number else {}))
    )


def bring(
    server: Client, *, document: str, template: str, team: str, is_json: bool, is_quiet: bool
) -> None:
    """Make a template there of what another Aegis exported."""
    said = template_tables.exported(document)
    body = listing.said(
        slug=template or said.get("slug"),
        name=said.get("name"),
        description=said.get("description"),
        category=said.get("category"),
        team=team,
    )
    body |= {"recipe": said.get("recipe"), "note": "imported"}
    row = server.send("POST", "templates", body=body)
    SHAPE.tell_one(How(is_json, is_quiet), "import", row)


def draft(*, template: str, recipe: str, category: Category | None, **given: str) -> dict[str, Any]:
    """A new template as a server takes it."""
    said = session_options.mapping(recipe, option="RECIPE")
    return {"slug": template, "recipe": said, **given, **_of(category)}


def of_session(*, template: str, category: Category | None, **given: Any) -> dict[str, Any]:
    """A new template from a session as a server takes it."""
    return {"slug": template, **given, **_of(category)}


def changes(*, recipe: str, category: Category | None, **given: str) -> dict[str, Any]:
    """What is to change of a template."""
    said = session_options.mapping(recipe, option="--recipe") if recipe else None
    return listing.said(**given, **_of(category)) | ({"recipe": said} if recipe else {})


def number(*, number: int) -> dict[str, Any]:
    """A version as a server takes it."""
    return {"version": number}


def _of(category: Category | None) -> dict[str, str]:
    return {"category": category.value} if category else {}
