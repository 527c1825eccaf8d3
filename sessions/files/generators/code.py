"""Programs: what somebody wrote, beneath a comment that says what it is."""

from aegis_project.kit.errors import ValidationFailed
from sessions.files.generators.base import Made, Wanted

HASH, SLASHES, DASHES, BLOCK = ("# ", ""), ("// ", ""), ("-- ", ""), ("/* ", " */")
LANGUAGES: dict[str, tuple[str, tuple[str, str]]] = {
    "python": ("py", HASH),
    "javascript": ("js", SLASHES),
    "typescript": ("ts", SLASHES),
    "java": ("java", SLASHES),
    "go": ("go", SLASHES),
    "rust": ("rs", SLASHES),
    "c": ("c", BLOCK),
    "c++": ("cpp", SLASHES),
    "csharp": ("cs", SLASHES),
    "kotlin": ("kt", SLASHES),
    "swift": ("swift", SLASHES),
    "scala": ("scala", SLASHES),
    "ruby": ("rb", HASH),
    "perl": ("pl", HASH),
    "r": ("r", HASH),
    "lua": ("lua", DASHES),
    "shell": ("sh", HASH),
    "sql": ("sql", DASHES),
    "css": ("css", BLOCK),
    "yaml": ("yaml", HASH),
    "toml": ("toml", HASH),
}


def make(wanted: Wanted) -> Made:
    """
    A program.

    :raises ValidationFailed: for a language that is not known, or without a program
    """
    found = LANGUAGES.get(wanted.language.lower())
    if found is None:
        known = list(LANGUAGES)
        raise ValidationFailed(
            "Code is made in a language that is known.", fields=["language"], known=known
        )
    if not wanted.code.strip():
        raise ValidationFailed("Code has a program.", fields=["code"])
    suffix, (begin, end) = found
    # What ends a comment would make a program of the title.
    title = " ".join(wanted.title.split()).replace("*/", "* /")
    first, rest = _first(wanted.code)
    header = f"{begin}{title}{end}\n" if title else ""
    content = f"{first}{header}{rest.rstrip()}\n"
    return Made(suffix, "text/plain", content.encode())


def _first(code: str) -> tuple[str, str]:
    """The line that says what runs a program has to stay the first."""
    if not code.startswith("#!"):
        return "", code
    line, _, rest = code.partition("\n")
    return f"{line}\n", rest
