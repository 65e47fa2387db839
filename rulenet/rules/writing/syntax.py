"""YAML text → a tree that knows the place of every value and keeps every comment. Imports yaml, and what a line break is.

`parse` gives the data and forgets the layout; this gives the layout, for what changes a file: `format`, `repair`, `append`.
Built from libyaml's events: whatever is between two of them is blank, punctuation or comment. (ruamel.yaml's round trip was tried
first: it dropped every comment inside `[…]` and `{…}`, re-broke long lists, and took 60 times as long.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from rulenet.rules.file.parse import LINE_BREAK

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Comment:
    """A comment with its ``#`` and its place, or a blank line (empty text)."""

    text: str
    column: int = 0
    start: int = 0


@dataclass(slots=True)
class Node:
    """A value: scalar, list or mapping."""

    kind: str  # "scalar" | "list" | "mapping"
    start: int = 0
    end: int = 0  # a block ends after its last value
    line: int = 0  # of its first character, from 1
    column: int = 0  # of its first character, from 0
    style: str | None = None  # scalar: None (plain), ', ", | or >. List and mapping: "flow" (in brackets) or "block"
    text: str = ""  # the text of a scalar
    entries: list[Entry] = field(default_factory=list)
    opening: Comment | None = None  # comment on the line where a list or mapping begins
    closing: list[Comment] = field(default_factory=list)  # comment lines after its last entry

    def entry(self, key: str) -> Entry | None:
        """Entry of a key, of a mapping."""
        return next((entry for entry in self.entries if entry.key is not None and entry.key.text == key), None)

    def values(self) -> list[Node]:
        """Values of a list or mapping."""
        return [entry.value for entry in self.entries]

    def comments(self) -> Iterator[Comment]:
        """Every comment inside, in order."""
        if self.opening:
            yield self.opening
        for entry in self.entries:
            yield from (comment for comment in entry.before if comment.text)
            if entry.behind_key:
                yield entry.behind_key
            yield from entry.value.comments()
            if entry.after:
                yield entry.after
        yield from (comment for comment in self.closing if comment.text)


@dataclass(slots=True)
class Entry:
    """An item of a list, or a key with its value."""

    value: Node
    key: Node | None = None
    start: int = 0  # where its key or its dash is
    before: list[Comment] = field(default_factory=list)  # comment lines and blank lines above it
    behind_key: Comment | None = None  # comment between a key and a value in brackets on the next line
    after: Comment | None = None  # comment at the end of its line
    on_new_line: bool = False  # whether it begins a line (only known in brackets)


def build_tree(text: str) -> Node:
    """The tree of a text in which `parse_yaml` found no fault; a blank text is an empty mapping.

    Examples
    --------
    >>> tree = build_tree("rules:  # mine\\n  - word: no  # not false\\n")
    >>> tree.entry("rules").value.entries[0].value.entry("word").value.text, [comment.text for comment in tree.comments()]
    ('no', ['# mine', '# not false'])
    """
    return _Builder(text).build()


class _Builder:
    """Builds the tree from events; comments go to the entry on their line or below them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.column = 0
        self.at_line_start = True  # whether what comes next shares its line with no value before it
        self.open: list[Node] = []
        self.closed: list[Node] = []  # blocks that ended since the last value, innermost first
        self.pending: list[Comment] = []  # waiting for the next entry
        self.waiting: list[Entry | None] = []  # for each open mapping: a key whose value comes next
        self.beside: Entry | Node | None = None  # what a comment on the same line belongs to
        self.root: Node | None = None
        self.found_break = False

    def build(self) -> Node:
        for event in yaml.parse(self.text, Loader=_Loader):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                self._start(event)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                self._end(event)
        self._gap(len(self.text))
        root = self.root or Node("mapping", style="block")
        root.closing += self.pending
        return root

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        header = None
        if event.style in ("|", ">"):
            end = start + len(self.text[start:end].rstrip())
            first = LINE_BREAK.split(self.text[start:end], maxsplit=1)[0]
            if "#" in first:
                at = first.index("#")
                header = Comment(first[at:].rstrip(), event.start_mark.column + at, start + at)
        dash = self._gap(start)
        node = Node("scalar", start, end, event.start_mark.line + 1, event.start_mark.column)
        node.style, node.text = event.style or None, event.value  # libyaml says '' for a plain scalar
        self._moved(end, event.end_mark)
        if self.open and self.open[-1].kind == "mapping" and self.waiting[-1] is None:
            entry = Entry(node, node, start, self._take_pending(), on_new_line=self.found_break)
            self.open[-1].entries.append(entry)
            self.waiting[-1] = self.beside = entry
        else:
            self.beside = entry = self._place(node, dash)
            entry.after = header

    def _start(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        dash = self._gap(start)
        style = "flow" if event.flow_style else "block"
        node = Node(kind, start, end, event.start_mark.line + 1, event.start_mark.column, style)
        self._place(node, dash)
        self.open.append(node)
        self.waiting.append(None)
        self._moved(end, event.end_mark)
        if style == "block":
            self.at_line_start = True  # the dash of the first item is still to come
        else:
            self.beside = node

    def _end(self, event: Any) -> None:
        node = self.open.pop()
        self.waiting.pop()
        if node.style == "block":
            node.end = node.entries[-1].value.end
            self.closed.append(node)
        else:
            self._gap(event.start_mark.index)
            node.closing += [comment for comment in self._take_pending() if comment.text]
            node.end = event.end_mark.index
            self._moved(node.end, event.end_mark)
        parent = self.open[-1] if self.open else None
        if parent is not None and node.style == "flow":
            self.beside = parent.entries[-1]

    def _place(self, node: Node, dash: int) -> Entry:
        """Put a value where it belongs: behind its key, into its list, or at the top."""
        if not self.open:
            if self.root is None:
                self.root = node
            return Entry(node)
        container = self.open[-1]
        if container.kind == "list":
            start = dash if container.style == "block" else node.start
            entry = Entry(node, None, start, self._take_pending(), on_new_line=self.found_break)
            container.entries.append(entry)
            return entry
        entry = container.entries[-1]
        entry.value, self.waiting[-1] = node, None
        if node.kind != "scalar" and node.style == "block":
            node.opening, entry.after = entry.after, None  # lines above the first item go to that item
            return entry
        if entry.after and node.kind == "scalar":
            entry.before.append(Comment(entry.after.text, container.column, entry.after.start))
        elif entry.after:
            entry.behind_key = entry.after
        entry.after = None
        entry.before += [comment for comment in self._take_pending() if comment.text]
        return entry

    def _take_pending(self) -> list[Comment]:
        taken, self.pending = self.pending, []
        return taken

    def _moved(self, end: int, mark: Any) -> None:
        """Continue after a value; `mark` is the end of the event, which in a block of text is further on."""
        self.position = max(self.position, end)
        self.column = mark.column if mark.index == end else 0
        self.at_line_start = False

    def _gap(self, start: int) -> int:
        """Read the comments up to `start`; return where the dash of a list item is, or `start`."""
        at = dash = self.position
        pieces = LINE_BREAK.split(self.text[at:start])
        self.found_break = len(pieces) > 1
        lines: list[Comment] = []
        behind_dash: list[Comment] = []
        has_dash = False
        for i, piece in enumerate(pieces):
            code, mark, _ = piece.partition("#")
            if "-" in code:
                dash, has_dash = at + code.rindex("-"), True
            if mark:
                column = len(code) + (0 if i else self.column)
                comment = Comment(piece[len(code) :].rstrip(), column, at + len(code))
                if i == 0 and not self.at_line_start:
                    self._put_beside(comment)
                else:
                    (behind_dash if has_dash else lines).append(comment)
            elif not piece.strip() and (i or self.at_line_start) and i < len(pieces) - 1:
                lines.append(Comment(""))
            at += len(piece)
            line_break = LINE_BREAK.match(self.text, at)
            at = line_break.end() if line_break else at
        self._share_out(lines)
        self.pending += behind_dash
        return dash if has_dash else start

    def _put_beside(self, comment: Comment) -> None:
        if isinstance(self.beside, Entry) and not self.beside.after:
            self.beside.after = comment
        elif isinstance(self.beside, Node) and not self.beside.opening:
            self.beside.opening = comment
        else:
            self.pending.append(comment)

    def _share_out(self, lines: list[Comment]) -> None:
        """Comment lines as far right as a block that has just ended still belong to it; the others to what comes next."""
        blank: list[Comment] = []
        for comment in lines:
            if not comment.text:
                blank.append(comment)
                continue
            while self.closed and comment.column < self._left_edge(self.closed[0]):
                self.closed.pop(0)
            owner = self.closed[0].closing if self.closed else self.pending
            owner += [*blank, comment]
            blank = []
        self.closed = []
        self.pending += blank

    def _left_edge(self, node: Node) -> int:
        """Column from which on a comment belongs to a block; a list may be right under its key, then one column further."""
        outer = [parent.column for parent in (*self.open, *self.closed) if parent.kind == "mapping"]
        return node.column + (node.kind == "list" and node.column in outer)


def with_edits(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """A text with stretches replaced: from, to, new text; a comment that would touch what is new is moved off.

    Examples
    --------
    >>> with_edits("a: 'b'# c", [(3, 6, "d")])
    'a: d  # c'
    """
    pieces, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        touches = text.startswith("#", end) and not new.endswith(("\n", " "))
        pieces += [text[at:start], new, "  " if new and touches else ""]
        at = end
    return "".join([*pieces, text[at:]])
