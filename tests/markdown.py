"""Reads the parts of a Markdown file that can be checked: code blocks, links, headings, rows of tables."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,}) *(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks) *$", re.M | re.S
)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *$", re.M)
_CELL = re.compile(r"(?<!\\)\|")  # not an escaped one


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    Attributes
    ----------
    line
        Where its text begins, from 1.
    section
        The heading it stands under.
    language, note
        First word of the info string, and the rest.
    """

    file: Path
    line: int
    section: str
    language: str
    note: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.file.name}:{self.line}"


def blocks(file: Path) -> list[Block]:
    """Every fenced block, in order."""
    source, found = file.read_text(encoding="utf-8"), []
    for match in _FENCE.finditer(source):
        language, _, note = match["info"].strip().partition(" ")
        titles = _HEADING.findall(_FENCE.sub("", source[: match.start()]))
        line = source.count("\n", 0, match.start("text")) + 1
        found.append(
            Block(file, line, titles[-1] if titles else "", language, note.strip(), textwrap.dedent(match["text"]))
        )
    return found


def prose(file: Path) -> str:
    """The text without its code blocks."""
    return _FENCE.sub("", file.read_text(encoding="utf-8"))


def links(file: Path) -> list[str]:
    """Targets of all links and images outside code."""
    return [match["target"] for match in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(file)))]


def anchors(file: Path) -> set[str]:
    """Names of the headings, as code hosts make them."""
    found: set[str] = set()
    for title in _HEADING.findall(prose(file)):
        plain = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        n = sum(name == plain or re.fullmatch(re.escape(plain) + r"-\d+", name) is not None for name in found)
        found.add(f"{plain}-{n}" if n else plain)
    return found


def rows(file: Path, section: str) -> Iterator[list[str]]:
    """Cells of each row of the tables under a heading, without the header."""
    parts = re.split(r"^#{1,6} +", prose(file), flags=re.M)
    text = next(part for part in parts if part.split("\n", 1)[0].strip() == section)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if not (_is_rule(line) or _is_rule(below)):
            yield [cell.strip().replace(r"\|", "|") for cell in _CELL.split(line)[1:-1]]


def _is_rule(line: str) -> bool:
    """Whether this is the line below a table's header."""
    return bool(line) and set(line) <= set("|-: ")
