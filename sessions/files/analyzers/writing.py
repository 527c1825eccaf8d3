"""The analyzers of what people write as text: plain, Markdown, HTML, and programs."""

import re
from html.parser import HTMLParser
from typing import Any

from sessions.files.analyzers import languages
from sessions.files.analyzers.base import Found, short

MOST_LISTED = 100
MEDIA = {"shell": "text/x-shellscript"}
_HEADING = re.compile(r"^(#{1,6}) +(\S.*)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]\n]{1,200}\]\([^)\n]{1,500}\)")
_WORD = re.compile(r"\w+")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
UNSEEN = frozenset({"script", "style", "template", "noscript"})
APART = (
    frozenset({"p", "div", "br", "li", "tr", "section", "article", "table", "ul", "ol"}) | HEADINGS
)


def plain(text: str) -> Found:
    """A text: how long it is, in every unit."""
    return Found("document", "text", "text/plain", figures(text), text=text)


def markdown(text: str) -> Found:
    """A Markdown text: how long it is, its headings, links and blocks of code."""
    headings = [{"level": len(m[1]), "text": short(m[2])} for m in _HEADING.finditer(text)]
    data = figures(text) | {
        "headings": headings[:MOST_LISTED],
        "heading_count": len(headings),
        "link_count": len(_LINK.findall(text)),
        "code_block_count": len(re.findall(r"^(?:```|~~~)", text, re.MULTILINE)) // 2,
    }
    return Found("document", "markdown", "text/markdown", data, text=text)


def html(text: str) -> Found:
    """A page: its title, what can be read in it, its headings, links and scripts."""
    page = _Page()
    page.feed(text)
    page.close()
    said = "\n".join(line for one in "".join(page.text).splitlines() if (line := one.strip()))
    data = figures(said) | {
        "headings": page.headings[:MOST_LISTED],
        "link_count": page.links,
        "image_count": page.images,
        "script_count": page.scripts,
    }
    named = {"title": short(page.title)} if page.title.strip() else {}
    return Found("document", "html", "text/html", data, named, text=said)


def program(name: str, text: str) -> Found:
    """A program: its lines by kind, its functions, classes and imports."""
    media = MEDIA.get(name, f"text/x-{name}")
    return Found("code", name, media, languages.outline(name, text), text=text)


def figures(text: str) -> dict[str, Any]:
    """How long a text is: characters, words, lines, paragraphs and their averages."""
    words = _WORD.findall(text)
    paragraphs = [one for one in _PARAGRAPHS.split(text) if one.strip()]
    return {
        "char_count": len(text),
        "char_count_no_spaces": sum(map(len, text.split())),
        "word_count": len(words),
        "line_count": len(text.splitlines()),
        "paragraph_count": len(paragraphs),
        "avg_word_length": _average(sum(map(len, words)), len(words)),
        "avg_paragraph_length": _average(sum(map(len, paragraphs)), len(paragraphs)),
    }


def _average(total: int, count: int) -> float:
    return round(total / count, 2) if count else 0.0


class _Page(HTMLParser):
    """What somebody reads on a page, and what it is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.headings: list[dict[str, Any]] = []
        self.title = ""
        self.links = self.images = self.scripts = 0
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += tag == "a"
        self.images += tag == "img"
        self.scripts += tag == "script"
        if tag in UNSEEN or tag == "title" or tag in HEADINGS:
            self._inside = tag
        if tag in HEADINGS and len(self.headings) < MOST_LISTED:
            self.headings.append({"level": int(tag[1]), "text": ""})
        if tag in APART:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""
        if tag in APART:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title = (self.title + data)[:1000]
        elif self._inside not in UNSEEN:
            self.text.append(data)
        if self._inside in HEADINGS and self.headings:
            last = self.headings[-1]
            last["text"] = short(last["text"] + data)
