"""Reading a file that comes in as a part of a form."""

import hashlib
from typing import Annotated, Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from msgspec import Meta, Struct
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from aegis_project.kit.errors import ValidationFailed
from streaming.api.base import Endpoint

FORM = "multipart/form-data"
PART = "file"


class UploadForm(Struct, kw_only=True):
    """One file, in a part of this name."""

    file: Annotated[str, Meta(extra_json_schema={"format": "binary"})]


class UploadEndpoint(Endpoint):
    """A view to which a POST brings a file."""

    _digest = b""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Whoever looks for a CSRF token in the form would meet what is wrong with it.
        if request.method == "POST":
            self.take(self._read(request))
        super().initial(request, *args, **kwargs)

    def raw(self) -> bytes:
        """What tells this upload from another: a digest, since a file may be large."""
        return self._digest if self.request.method == "POST" else super().raw()

    def take(self, file: "UploadedFile[bytes]") -> None:
        """Have the file as its name and its bytes."""
        self.file = (file.name or "", file.read())
        self.know(file, hashlib.sha256(self.file[1]).digest())

    def know(self, file: "UploadedFile[bytes]", digest: bytes) -> None:
        """Tell this file from others."""
        self._digest = (file.name or "").encode() + b"\x00" + digest

    def _read(self, request: Request) -> "UploadedFile[bytes]":
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        if kind != FORM:
            raise UnsupportedMediaType(kind)
        return _only(request)


def _only(request: Request) -> "UploadedFile[bytes]":
    try:
        files, fields = request._request.FILES, request._request.POST
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError, UnicodeError):
        raise ValidationFailed("The form cannot be read.") from None
    if list(files) != [PART] or len(files.getlist(PART)) != 1:
        raise ValidationFailed("One file is required.", fields=[PART])
    unknown = sorted(set(fields) - {"csrfmiddlewaretoken"})
    if unknown:
        raise ValidationFailed(f"Unknown: {', '.join(unknown)[:300]}.", fields=unknown[:20])
    found = files[PART]
    assert isinstance(found, UploadedFile)  # noqa: S101 -- Django makes no others
    return found
