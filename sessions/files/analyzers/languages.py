"""Programming languages: which one a text is in, and what stands out in it."""

import re
from dataclasses import dataclass
from typing import Any

MOST_LISTED = 100
LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class Language:
    """How a language is told: its signs, its names for functions, classes and imports, comments."""

    signs: re.Pattern[str]
    functions: re.Pattern[str]
    classes: re.Pattern[str]
    imports: re.Pattern[str]
    comment: str = "//"
    block: tuple[str, str] = ("/*", "*/")


def _language(signs: str, functions: str, classes: str, imports: str, **more: Any) -> Language:
    return Language(_begins(signs), _begins(functions), _begins(classes), _begins(imports), **more)


def _begins(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{pattern})")


NEVER = r"(?!)"
SCRIPT_FUNCTION = (
    r"(?:export )?(?:default )?(?:async )?function\*? *(\w+)|(?:export )?const (\w+) = "
    r"(?:async )?\([^)]*\)(?:: [\w<>\[\]]+)? =>"
)
SCRIPT_CLASS = r"(?:export )?(?:default )?(?:abstract )?class (\w+)"
SCRIPT_IMPORT = r"(import\b.*\bfrom ['\"].*|import ['\"].*|(?:const|var|let) .* = require\(.*)"
LANGUAGES: dict[str, Language] = {
    "python": _language(
        r"def \w+\(|async def \w+\(|class \w+[(:]|from [\w.]+ import |import [\w.]+(?: as \w+)?$|@\w+|if __name__ ==",
        r"(?:async )?def (\w+)",
        r"class (\w+)",
        r"(from [\w.]+ import .*|import [\w., ]+)",
        comment="#",
        block=('"""', '"""'),
    ),
    "typescript": _language(
        r"(?:export )?interface \w+.*\{|(?:export )?type \w+(?:<.*>)? =|(?:export )?enum \w+ \{|"
        r"(?:public|private|readonly) \w+.*[:;({]|(?:const|let) \w+: |.*\): [\w<>\[\]]+ (?:=>|\{)",
        SCRIPT_FUNCTION,
        rf"{SCRIPT_CLASS}|(?:export )?interface (\w+)",
        SCRIPT_IMPORT,
    ),
    "javascript": _language(
        r"(?:export )?(?:default )?(?:async )?function\*? *\w*\(|(?:const|let|var) [\w{\[]+.* = |"
        r"import .* from ['\"]|.*=> [{(]|module\.exports|.*require\(['\"]|['\"]use strict['\"]",
        SCRIPT_FUNCTION,
        SCRIPT_CLASS,
        SCRIPT_IMPORT,
    ),
    "java": _language(
        r"package [\w.]+;|import (?:static )?[\w.*]+;|(?:public|protected|private) .*[{;]$|@Override",
        r"(?:public|protected|private|static| )+[\w<>\[\], ]+ (\w+)\([^)]*\)[^;]*\{",
        r"(?:public |abstract |final )*(?:class|interface|enum|record) (\w+)",
        r"(import .*;)",
    ),
    "go": _language(
        r"package \w+$|func (?:\(\w+ \*?\w+\) )?\w+\(|type \w+ (?:struct|interface) \{|\w+(?:, \w+)* := |import \(",
        r"func (?:\([^)]*\) )?(\w+)",
        r"type (\w+) (?:struct|interface)",
        r"(import .*)",
    ),
    "rust": _language(
        r"(?:pub(?:\([^)]*\))? )?fn \w+|use [\w:{}, *]+;|let mut |impl(?:<.*>)? |(?:pub )?(?:struct|enum|trait|mod) \w+|#\[",
        r"(?:pub(?:\([^)]*\))? )?(?:async )?fn (\w+)",
        r"(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait) (\w+)",
        r"(use .*;)",
    ),
    "csharp": _language(
        r"using [\w.]+;|namespace [\w.]+|(?:public|internal) (?:static |sealed |abstract )*(?:class|interface|record|struct) ",
        r"(?:public|protected|private|internal)[\w<>\[\], ]* (\w+)\([^)]*\)\s*\{?$",
        r"(?:[\w ]* )?(?:class|interface|record|struct) (\w+)",
        r"(using .*;)",
    ),
    "c++": _language(
        r"#include [<\"]|std::|template ?<|using namespace |namespace \w+ ?\{|\w+::\w+\(",
        r"[\w:<>&*]+ +[*&]?([\w:]+)\([^;]*\)[^;]*\{",
        r"(?:class|struct) (\w+)",
        r"(#include .*)",
    ),
    "c": _language(
        r"#include [<\"]|#define \w+|typedef |(?:static |const |unsigned )*(?:int|char|void|long) \*?\w+\(",
        r"[\w*]+ +\*?(\w+)\([^;]*\)\s*\{?$",
        r"(?:typedef )?struct (\w+)",
        r"(#include .*)",
    ),
    "php": _language(
        r"<\?php|\$\w+ = |(?:public |private |protected )?function \w+\(|use [\w\\]+;|namespace [\w\\]+;",
        r"[\w ]*function (\w+)",
        r"(?:abstract |final )?class (\w+)",
        r"(use .*;)",
    ),
    "ruby": _language(
        r"require ['\"]|def \w+[?!]?|module [A-Z]\w*$|class [A-Z]\w*(?: < \w+)?$|end$|attr_\w+ :",
        r"def ([\w.?!]+)",
        r"class (\w+)",
        r"(require.*)",
        comment="#",
        block=("=begin", "=end"),
    ),
    "shell": _language(
        r"#!.*\b(?:ba|z|k)?sh\b|set -\w+|if \[|fi$|done$|esac$|export \w+=|\w+\(\) ?\{|echo ",
        r"(?:function )?(\w+)\(\)",
        NEVER,
        r"((?:source|\.) .*)",
        comment="#",
        block=(": <<'", "'"),
    ),
    "sql": _language(
        r"(?i:select\b.*|create (?:table|index|view)\b|insert into\b|update \w+ set\b|from \w+|alter table\b|where\b)",
        r"(?i:create (?:or replace )?function (\w+))",
        r"(?i:create table (?:if not exists )?(\w+))",
        NEVER,
        comment="--",
    ),
    "css": _language(
        r"[.#@:]?[\w.#:*, >-]+\{$|--[\w-]+: .*;|[a-z-]+: [^;]+;$",
        NEVER,
        NEVER,
        r"(@import .*)",
    ),
}
# What a language has of another one as well counts for the one named first.
PLAIN = re.compile(r"#!.*\bpython")


def of(sample: str) -> str:
    """The language of a text, empty if it is in none."""
    lines = [line[:LONGEST_LINE] for line in sample.splitlines() if line.strip()]
    if not lines:
        return ""
    if PLAIN.match(lines[0]):
        return "python"
    scores = {name: _score(one, lines) for name, one in LANGUAGES.items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= max(3, len(lines) // 12) else ""


def _score(language: Language, lines: list[str]) -> int:
    return sum(1 for line in lines if language.signs.match(line))


def outline(name: str, text: str) -> dict[str, Any]:
    """What stands out in a program: its lines by kind, and what it defines with line numbers."""
    language = LANGUAGES[name]
    found: dict[str, list[dict[str, Any]]] = {"functions": [], "classes": [], "imports": []}
    counts = dict.fromkeys(found, 0)
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for word, listed in found.items():
            match = getattr(language, word).match(line[:LONGEST_LINE])
            if match is None:
                continue
            counts[word] += 1
            if len(listed) < MOST_LISTED:
                named = next((one for one in match.groups() if one), match.group())
                listed.append({"name": named.strip()[:100], "line": number})
    return {
        "language": name,
        **_lines(language, lines),
        **{f"{word[:-1] if word != 'classes' else 'class'}_count": n for word, n in counts.items()},
        **found,
    }


def _lines(language: Language, lines: list[str]) -> dict[str, Any]:
    blank = sum(1 for line in lines if not line.strip())
    comments = _comments(language, lines)
    size = sum(map(len, lines))
    return {
        "total_lines": len(lines),
        "code_lines": len(lines) - blank - comments,
        "blank_lines": blank,
        "comment_lines": comments,
        "avg_line_length": round(size / len(lines), 2) if lines else 0,
        "char_count": size + max(len(lines) - 1, 0),
    }


def _comments(language: Language, lines: list[str]) -> int:
    """Lines that say nothing to a machine: those of comments, and of blocks that begin a line."""
    begin, end = language.block
    found, is_inside = 0, False
    for line in lines:
        text = line.strip()
        if is_inside:
            found += bool(text)
            is_inside = end not in text
        elif text.startswith(begin):
            found += 1
            is_inside = end not in text[len(begin) :]
        elif text.startswith(language.comment):
            found += 1
    return found
