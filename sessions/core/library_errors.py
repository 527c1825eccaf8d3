"""Errors of the library, and of backups."""

from aegis_project.kit.errors import AegisError


class TagNotFound(AegisError):
    """There is no such tag."""

    code = "TAG_NOT_FOUND"
    status = 404


class TagAlreadyExists(AegisError):
    """A tag of this name exists."""

    code = "TAG_ALREADY_EXISTS"
    status = 409


class BookmarkNotFound(AegisError):
    """There is no such bookmark."""

    code = "BOOKMARK_NOT_FOUND"
    status = 404


class BookmarkAlreadyExists(AegisError):
    """You have a bookmark of this already."""

    code = "BOOKMARK_ALREADY_EXISTS"
    status = 409


class TemplateNotFound(AegisError):
    """There is no such template, or it has no such version."""

    code = "TEMPLATE_NOT_FOUND"
    status = 404


class TemplateAlreadyExists(AegisError):
    """A template with this slug exists."""

    code = "TEMPLATE_ALREADY_EXISTS"
    status = 409


class UploadNotFound(AegisError):
    """There is no such upload, or it was given up."""

    code = "UPLOAD_NOT_FOUND"
    status = 404


class RangeRefused(AegisError):
    """The piece does not begin where the upload stands."""

    code = "RANGE_NOT_SATISFIABLE"
    status = 416


class NotEmpty(AegisError):
    """There is something already where a backup would be restored."""

    code = "NOT_EMPTY"
    status = 409
