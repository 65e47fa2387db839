"""One layout for all rule files, comments kept: `rulenet rules format`. Imports errors and the rest of `rulenet.rules`, no numpy.

What is fixed: the order of fields, indentation by two, quotes, one blank line between rules, one space around what needs it.
What stays the author's: every comment, the order of rules and words, brackets or dashes, line breaks inside a list of words.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import ValidationError

from rulenet.errors import Fault, RuleFileError
from rulenet.rules.conditions.kinds import KINDS
from rulenet.rules.file import codes, schema
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.parse import LINE_BREAK, parse_yaml
from rulenet.rules.reading.check import NO_MAPPING, schema_faults
from rulenet.rules.writing.spelling import columns, is_plain, quote
from rulenet.rules.writing.syntax import Comment, Entry, Node, build_tree

WIDTH = 120  # columns; a Chinese character takes two
MAX_BLANK_LINES = 2

_FIRST = ("id", "label", "labels")
_CONDITION = tuple(WrittenCondition.model_fields)
RULE_FIELDS = (*_FIRST, *_CONDITION, *(name for name in schema.Rule.model_fields if name not in (*_FIRST, *_CONDITION)))
_ORDERS = {name: tuple(model.model_fields) for name, model in schema.MODELS.items()} | {"rules": RULE_FIELDS}
_SECTIONS = ("lexicons", "rules", "cases")
_AS_WRITTEN = ("lexicons", "labels", "match", "reject", "text")  # what is inside is named by the author
_QUOTES = {kind.name: kind.quotes for kind in KINDS}
# Quotes stay, for they help the eye.
_PROSE = ("match", "reject", "text", "note", *(name for name, quotes in _QUOTES.items() if quotes))


def format_text(text: str, name: str = "<string>") -> str:
    """A rule file in its canonical layout; formatting twice changes nothing more.

    Raises
    ------
    RuleFileError
        If the text is not a rule file, with every fault; or if the result would not mean the same.

    Examples
    --------
    >>> print(format_text('''rulenet: 1
    ... rules:
    ... -   word:   ["no",'007' ]   # as text
    ...     label: Sports
    ...     id: a
    ... '''))
    rulenet: 1
    <BLANKLINE>
    rules:
      - id: a
        label: Sports
        word: ["no", "007"]  # as text
    <BLANKLINE>
    """
    mark, line_break, body = split_encoding(text)
    data = check_shape(body, name)
    tree = build_tree(body)
    comments = Counter(comment.text for comment in tree.comments())
    result = "\n".join(Layout(body).file(tree)) + "\n"
    again, _, faults = parse_yaml(result)
    if faults or _ordered_dump(again) != _ordered_dump(data):
        harm = "changing what it says"
    elif Counter(comment.text for comment in build_tree(result).comments()) != comments:
        harm = "losing a comment"
    else:
        return mark + result.replace("\n", line_break)
    message = f"cannot be formatted without {harm}; please report it"
    raise RuleFileError(name, [Fault(codes.UNWRITABLE_FILE, message)])


def split_encoding(text: str) -> tuple[str, str, str]:
    """Byte-order mark or nothing, the usual line end, and the text with ``\\n`` alone."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    windows = text.count("\r\n")
    counts = {"\n": text.count("\n") - windows, "\r\n": windows, "\r": text.count("\r") - windows}
    usual = max(counts, key=lambda line_break: counts[line_break])
    return mark, usual, text[len(mark) :].replace("\r\n", "\n").replace("\r", "\n")


def check_shape(text: str, name: str) -> object:
    """The data of a text that has the shape of a rule file; files that it includes need not be there."""
    data, lines, faults = parse_yaml(text)
    if not faults and not isinstance(data, dict):
        faults = [Fault(codes.NOT_A_RULE_FILE, NO_MAPPING, 1)]
    if not faults:
        try:
            schema.RuleFile.model_validate(data)
        except ValidationError as error:
            faults = schema_faults(error, data, lines)
    if faults:
        raise RuleFileError(name, faults)
    return data


def _ordered_dump(data: object) -> str:
    """The data with fields sorted, but with what the author names (lexicons, labels) in the order given."""

    def ordered(value: object, is_named: bool) -> object:
        if isinstance(value, list):
            return [ordered(item, is_named) for item in value]
        if not isinstance(value, dict):
            return value
        keys = value if is_named else sorted(value)
        return [[key, ordered(value[key], is_named or key in _AS_WRITTEN)] for key in keys]

    return json.dumps(ordered(data, False))


# ---------------------------------------------------------------------- layout


def _with(line: str, comment: Comment | None) -> str:
    return f"{line}  {comment.text}" if comment else line


def _align(entries: Sequence[Entry], written: Sequence[list[str]]) -> None:
    """Line up comments of neighbouring lines that stood in one column."""
    beside = [entry.behind_key or entry.value.opening or entry.after for entry in entries]
    shown = [
        comment if comment and lines[0].endswith(f"  {comment.text}") and lines[0].strip() != comment.text else None
        for comment, lines in zip(beside, written, strict=True)
    ]
    for column, group in groupby(range(len(entries)), key=lambda i: comment.column if (comment := shown[i]) else None):
        together = list(group)
        if column is None or len(together) < 2:
            continue
        ends = {i: len(written[i][0]) - len(comment.text) for i in together if (comment := shown[i])}
        column = max(column, *ends.values())
        for i, end in ends.items():
            line = written[i][0]
            written[i][0] = line[:end] + " " * (column - end) + line[end:]


def _is_word(node: Node, context: Context) -> bool:
    """Whether an item may share a row: a scalar or, in a lexicon, `{lexicon: name}` and the like."""
    return node.kind == "scalar" or (context.is_named and node.style == "flow" and not any(node.comments()))


def _trimmed(lines: list[str]) -> list[str]:
    """Lines without the blank ones at both ends."""
    filled = [i for i, line in enumerate(lines) if line]
    return lines[filled[0] : filled[-1] + 1] if filled else []


@dataclass(frozen=True)
class Context:
    """What the layout of a value depends on: the order of fields, and how its texts are quoted."""

    fields: Sequence[str] | None = ()
    is_named: bool = False
    is_prose: bool = False
    in_single_quotes: bool = False

    def inside(self, key: str) -> Context:
        """The context of a key's value."""
        is_named = self.is_named or key in _AS_WRITTEN
        return Context(
            None if is_named else _ORDERS.get(key),
            is_named,
            self.is_prose or (key in _PROSE and not (self.is_named and key in ("match", "note"))),
            _QUOTES.get(key) == "'" and not self.is_named,
        )


TOP = Context(tuple(schema.RuleFile.model_fields))
IN_RULES = TOP.inside("rules")


class Layout:
    """Writes a tree as lines; `text` is what the tree was read from."""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def file(self, tree: Node) -> list[str]:
        """Lines of a whole file."""
        first = tree.entries[0] if tree.entries else None
        head: list[Comment] = []
        if first is not None and self._in_order(tree, TOP)[0] is not first:
            # A paragraph of its own at the top is the head of the file; what touches the first key belongs to it.
            blanks = [i for i, comment in enumerate(first.before) if not comment.text]
            split = blanks[-1] + 1 if blanks else 0
            head, first.before = first.before[:split], first.before[split:]
        parts = [_trimmed(self._comments(head, 0, tree)), _trimmed(self._block(tree, 0, TOP, depth=0))]
        return [*parts[0], "", *parts[1]] if all(parts) else parts[0] + parts[1]

    def entry(self, key: str | None, value: Node, indent: int, context: Context) -> list[str]:
        """Lines of one field, or of one item of a list, somewhere inside the file."""
        return self._entry(Entry(value, Node("scalar", text=key) if key else None), indent, context, depth=2)

    # ------------------------------------------------------------------ blocks

    def _block(self, node: Node, indent: int, context: Context, depth: int) -> list[str]:
        lines: list[str] = []
        entries = self._in_order(node, context)
        written = [
            self._entry(entry, indent, context.inside(entry.key.text) if entry.key else context, depth + 1)
            for entry in entries
        ]
        _align(entries, written)
        for i, (entry, own) in enumerate(zip(entries, written, strict=True)):
            above = self._comments(entry.before, indent, node, MAX_BLANK_LINES if i and depth < 2 else 1)
            is_spread = len(own) > 1 or (i > 0 and len(written[i - 1]) > 1)
            if i == 0 and not any(above):
                above = []
            elif i and not (above and not above[0]) and self._wants_room(entry, node, depth, is_spread):
                above.insert(0, "")
            lines += above + own
        return lines + self._comments(node.closing, indent, None, MAX_BLANK_LINES if depth < 2 else 1)

    def _wants_room(self, entry: Entry, container: Node, depth: int, is_spread: bool) -> bool:
        if depth == 0:
            return entry.key is not None and entry.key.text in _SECTIONS and is_spread
        return depth == 1 and container.kind == "list" and entry.value.kind == "mapping" and is_spread

    def _entry(self, entry: Entry, indent: int, context: Context, depth: int) -> list[str]:
        pad, value = " " * indent, entry.value
        label = f"{self._key(entry.key)}:" if entry.key else "-"
        written = self._scalar(value, indent + 2, context) if value.kind == "scalar" else None
        if value.kind != "scalar" and value.style == "flow":
            # The bracket is on the line of the key, or on the next line if there is a comment.
            edge = " " * (indent + 2) if entry.behind_key else f"{pad}{label} "
            written = self._brackets(value, edge, indent + (3 if entry.behind_key else 2), context)
        if written is not None and value.kind == "scalar":
            written[0] = f"{pad}{label} {written[0]}".rstrip(" ")
        elif written is not None and entry.behind_key:
            written.insert(0, _with(pad + label, entry.behind_key))
        if written is not None:
            if entry.after:
                at = 0 if value.style in ("|", ">") else -1
                written[at] = _with(written[at], entry.after)
            return written
        comments = [comment for comment in (entry.behind_key, value.opening, entry.after) if comment]
        lines = self._block(value, indent + 2, context, depth)
        if entry.key is None and value.kind == "mapping":
            # The dash is on the line of the first field, so comments above that field go above the dash.
            start = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
            above = [pad + line.strip() for line in lines[:start] if line]
            lines[start] = f"{pad}- {lines[start][indent + 2 :]}"
            return [pad + comment.text for comment in comments] + above + lines[start:]
        lines += [f"{pad}  {comment.text}" for comment in comments[1:]]
        return [_with(pad + label, comments[0] if comments else None), *lines]

    def _in_order(self, node: Node, context: Context) -> list[Entry]:
        if node.kind != "mapping" or not context.fields:
            return node.entries
        rank = {name: i for i, name in enumerate(context.fields)}
        return sorted(node.entries, key=lambda entry: rank.get(entry.key.text if entry.key else "", len(rank)))

    def _comments(self, comments: Iterable[Comment], indent: int, container: Node | None, blanks: int = 1) -> list[str]:
        """Comment lines; those at the left edge, such as the headings of parts, stay there."""
        lines: list[str] = []
        for comment in comments:
            if comment.text:
                at_edge = container is not None and comment.column == 0 and container.column > 0
                lines.append(("" if at_edge else " " * indent) + comment.text)
            elif len(lines) < blanks or any(lines[-blanks:]):
                lines.append("")
        return lines

    # ------------------------------------------------------------------ brackets

    def _brackets(self, node: Node, edge: str, indent: int, context: Context) -> list[str] | None:
        """A list or mapping in brackets behind `edge`, or None if it is better written as a block."""
        has_comments = next(node.comments(), None) is not None
        is_words = node.kind == "list" and not context.is_prose and all(_is_word(v, context) for v in node.values())
        is_words = is_words or not node.entries
        has_rows = is_words and any(entry.on_new_line for entry in node.entries)
        if not has_comments and not has_rows:
            line = edge + self.inline(node, context)
            if columns(line) <= WIDTH:
                return [line]
        if not is_words:
            return None
        rows = self._rows(node, edge, indent, context, has_rows)
        fits = all(columns(row.split("  #")[0]) <= WIDTH for row in rows)
        return rows if fits else self._rows(node, edge, indent, context, False)

    def inline(self, node: Node, context: Context) -> str:
        """A value on one line, however long."""
        if node.kind == "scalar":
            return self._spelled(node, context)
        if node.kind == "list":
            return f"[{', '.join(self.inline(value, context) for value in node.values())}]"
        parts = []
        for entry in self._in_order(node, context):
            key = entry.key.text if entry.key else ""
            parts.append(f"{self._key(entry.key)}: {self.inline(entry.value, context.inside(key))}".rstrip(" "))
        return f"{{{', '.join(parts)}}}"

    def _rows(self, node: Node, edge: str, indent: int, context: Context, as_broken: bool) -> list[str]:
        """Words in rows, broken at comments and where the author broke them, or else where a line would be too long."""
        first, last = (node.entries[0], node.entries[-1]) if node.entries else (None, None)
        hangs = bool(node.opening or node.closing or (first and first.on_new_line) or (last and last.after))
        rows: list[str] = []
        left, right = "{}" if node.kind == "mapping" else "[]"
        row = _with(edge + left, node.opening)
        must_break = bool(node.opening or (first and first.on_new_line))
        for entry in node.entries:
            above = [comment for comment in entry.before if comment.text]
            item = self.inline(entry.value, context) + ("," if entry is not last else "" if hangs else right)
            is_long = not as_broken and columns(f"{row} {item}") > WIDTH and not row.endswith("[")
            if must_break or above or is_long or (as_broken and entry.on_new_line):
                rows += [row, *self._comments(above, indent, node)]
                row = " " * indent + item
            else:
                row += item if row.endswith("[") else f" {item}"
            must_break = bool(entry.after)
            row = _with(row, entry.after)
        if not node.entries and not hangs:
            row += right
        rows.append(row)
        if hangs:
            rows += [*self._comments(node.closing, indent, None), " " * (indent - 2) + right]
        return rows

    # ------------------------------------------------------------------ scalars

    def _key(self, node: Node | None) -> str:
        return self._spelled(node, Context()) if node else ""

    def _spelled(self, node: Node, context: Context) -> str:
        """A scalar on one line."""
        if node.style is None and not LINE_BREAK.search(node.text):
            return node.text or "null"
        if not context.is_prose and is_plain(node.text):
            return node.text
        raw = self.text[node.start : node.end]
        if not node.text.isprintable() and node.style == '"' and raw.startswith('"') and "\n" not in raw:
            return raw  # the author's own escapes
        return quote(node.text, single=context.in_single_quotes)

    def _scalar(self, node: Node, indent: int, context: Context) -> list[str]:
        """A scalar that may take several lines, the second and later ones from `indent` on."""
        raw = self.text[node.start : node.end].split("\n")
        if len(raw) == 1:
            return [self._spelled(node, context)]
        pad = " " * indent
        if node.style not in ("|", ">"):
            ends = [line if line.rstrip(" \t").endswith("\\") else line.rstrip(" \t") for line in raw]
            return [ends[0], *((pad + line.lstrip(" \t")) if line else "" for line in ends[1:])]
        body = node.text.rstrip("\n")
        ends_clean = (
            len(node.text) - len(body) <= 1 and body == body.strip() and not re.search(r"\d", raw[0].split("#")[0])
        )
        if not ends_clean or not body.replace("\n", "").replace("\t", "").isprintable():
            return [quote(node.text)]
        lines = body.split("\n")
        if node.style == ">":
            margin = next(len(line) - len(line.lstrip(" ")) for line in raw[1:] if line.strip())
            lines = [line[margin:] if line.strip() else "" for line in raw[1:]]
        header = node.style + ("" if node.text.endswith("\n") else "-")
        return [header, *(pad + line if line else "" for line in lines)]
