import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import file_types
from sessions.core.conversation import AttachmentKind


@pytest.mark.parametrize(
    ("filename", "signature", "is_text", "found"),
    [
        ("a.png", "image/png", False, ("image/png", AttachmentKind.IMAGE)),
        ("a.PDF", "application/pdf", False, ("application/pdf", AttachmentKind.DOCUMENT)),
        ("a.xlsx", file_types.SHEET, False, (file_types.SHEET, AttachmentKind.DATA)),
        ("a.py", "", True, ("text/x-python", AttachmentKind.CODE)),
        ("a.csv", "", True, ("text/csv", AttachmentKind.DATA)),
        ("Makefile", "", True, ("text/plain", AttachmentKind.DOCUMENT)),
        ("a.unknown", "", True, ("text/plain", AttachmentKind.DOCUMENT)),
        ("a.unknown", "video/mp4", False, ("video/mp4", AttachmentKind.OTHER)),
        ("a", "", False, ("application/octet-stream", AttachmentKind.OTHER)),
    ],
)
def test_a_file_is_what_its_content_is(filename, signature, is_text, found):
    assert file_types.of(filename, signature=signature, is_text=is_text) == found


@pytest.mark.parametrize(
    ("filename", "signature", "is_text"),
    [
        ("a.png", "image/jpeg", False),
        ("a.png", "", True),
        ("a.pdf", "application/x-executable", False),
        ("a.txt", "", False),
        ("a.csv", "image/png", False),
    ],
)
def test_a_name_that_says_something_else_is_refused(filename, signature, is_text):
    with pytest.raises(ValidationFailed):
        file_types.of(filename, signature=signature, is_text=is_text)
