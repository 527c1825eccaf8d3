"""What a file is, by its content and by what its name says it is."""

from typing import NamedTuple

from aegis_project.kit.errors import ValidationFailed
from sessions.core.conversation import AttachmentKind

CODE, DATA = AttachmentKind.CODE, AttachmentKind.DATA
DOCUMENT, IMAGE, OTHER = AttachmentKind.DOCUMENT, AttachmentKind.IMAGE, AttachmentKind.OTHER


class FileType(NamedTuple):
    """A media type, and what it is for people."""

    content_type: str
    kind: AttachmentKind


PLAIN = FileType("text/plain", DOCUMENT)
UNKNOWN = FileType("application/octet-stream", OTHER)

# What is text, by the end of its name.
TEXTS: dict[str, FileType] = {
    "txt": PLAIN,
    "log": PLAIN,
    "md": FileType("text/markdown", DOCUMENT),
    "html": FileType("text/html", DOCUMENT),
    "htm": FileType("text/html", DOCUMENT),
    "csv": FileType("text/csv", DATA),
    "tsv": FileType("text/tab-separated-values", DATA),
    "json": FileType("application/json", DATA),
    "ndjson": FileType("application/x-ndjson", DATA),
    "xml": FileType("application/xml", DATA),
    "yaml": FileType("application/yaml", DATA),
    "yml": FileType("application/yaml", DATA),
    "svg": FileType("image/svg+xml", IMAGE),
    **{
        suffix: FileType(f"text/x-{name}", CODE)
        for suffix, name in {
            "py": "python",
            "js": "javascript",
            "ts": "typescript",
            "java": "java",
            "go": "go",
            "rs": "rust",
            "cpp": "c++",
            "cc": "c++",
            "c": "c",
            "h": "c",
            "cs": "csharp",
            "rb": "ruby",
            "php": "php",
            "sh": "shellscript",
            "sql": "sql",
            "css": "css",
            "toml": "toml",
        }.items()
    },
}

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"

# What begins with a signature, by the end of its name.
SIGNED: dict[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "pdf": PDF,
    "rtf": "application/rtf",
    "docx": WORD,
    "xlsx": SHEET,
    "zip": "application/zip",
}
KINDS: dict[str, AttachmentKind] = {
    PDF: DOCUMENT,
    "application/rtf": DOCUMENT,
    "application/msword": DOCUMENT,
    WORD: DOCUMENT,
    "application/vnd.ms-excel": DATA,
    SHEET: DATA,
}
TEXTUAL = frozenset(one.content_type for one in TEXTS.values())
SHOWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", PDF})
"""What models are shown as it is."""


def of(filename: str, *, signature: str, is_text: bool) -> FileType:
    """
    What a file is: ``signature`` is the media type that its first bytes tell, if they tell one.

    :raises ValidationFailed: if its name says that it is something else
    """
    suffix = filename.lower().rpartition(".")[2] if "." in filename else ""
    if suffix in SIGNED and SIGNED[suffix] != signature:
        raise _not(filename, said=SIGNED[suffix], found=signature)
    if suffix in TEXTS and (signature or not is_text):
        raise _not(filename, said=TEXTS[suffix].content_type, found=signature)
    if signature:
        kind = IMAGE if signature.startswith("image/") else KINDS.get(signature, OTHER)
        return FileType(signature, kind)
    return TEXTS.get(suffix, PLAIN) if is_text else UNKNOWN


def _not(filename: str, *, said: str, found: str) -> ValidationFailed:
    return ValidationFailed(
        f"{filename} is not what its name says.",
        fields=["file"],
        said=said,
        found=found or UNKNOWN.content_type,
    )
