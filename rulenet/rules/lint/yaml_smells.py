"""What YAML does silently: a text cut by a comment, a pattern read as a list. Imports the codes and what YAML is read with.

Nothing is read a second time unless the text has a place that looks like one of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from rulenet.errors import Edit, Fault
from rulenet.rules.file import codes
from rulenet.rules.file.parse import LOADER

# A comment begins with '# ' two spaces after a value; these look like a part of the value.
_CUT = re.compile(r"(?P<gap>[ \t]+)(?P<mark>\#(?=[^\s\#!])(?!rulenet:)|(?<=[^\s] )\#(?=[ \t]*$|[ \t]\d))", re.M)
_BRACKETS = re.compile(r"\bregex:\s*(?:#.*\s*)?\[(?!\s*['\"])")  # a list with quotes is meant as one
_CLASS = re.compile(r"\^?(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|[一-龥]-[一-龥]|\\.|_|[^\w\s,\[\]{}])+")
_ENDS = re.compile(r"[ \t]*(?:[,}\]\r\n]|[ \t]#|$)")
_RANGE = re.compile(r"\w-\w|^\^")


def yaml_smells(text: str) -> Iterator[Fault]:
    """Faults of a text, as far as YAML can read it."""
    cuts = {match.start("mark"): match.start() for match in _CUT.finditer(text)}
    has_brackets = _BRACKETS.search(text) is not None
    if not cuts and not has_brackets:
        return
    key = ""  # or the last text
    items: list[Any] | None = None  # of a list in brackets under `regex`, after its beginning
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.ScalarEvent):
                if not event.style:
                    yield from _cut(event, text, cuts)
                if items is not None:
                    items.append(event)
                key = event.value
            elif isinstance(event, yaml.SequenceStartEvent):
                items = [event] if event.flow_style and key == "regex" else None
            elif isinstance(event, yaml.SequenceEndEvent) and items:
                yield from _perhaps_a_class(items, event, text)
                items = None
    except yaml.YAMLError:
        return  # a fault of its own


def _cut(event: Any, text: str, cuts: dict[int, int]) -> Iterator[Fault]:
    """A plain text that ends where something like a part of it begins."""
    end = event.end_mark.index
    found = re.compile(r":?[ \t]+(?=#)" if not event.value else r"[ \t]+(?=#)").match(text, end)
    if found is None or found.end() not in cuts:
        return
    rest = text[found.end() :].splitlines()[0].rstrip()
    whole = f"{event.value} {rest}".strip()
    read = f"only {event.value!r} is" if event.value else "nothing is"
    message = (
        f"{read} read here, as ' #' begins a comment: write {_single(whole)} if {rest[:40]!r} belongs to the text, "
        "or begin the comment with two spaces and '# '"
    )
    yield Fault(
        codes.CUT_BY_COMMENT,
        message,
        event.start_mark.line + 1 if event.value else text.count("\n", 0, found.end()) + 1,
    )


def _perhaps_a_class(items: list[Any], end: Any, text: str) -> Iterator[Fault]:
    """A list in brackets that looks like a set of characters."""
    start, *texts = items
    if not texts or any(item.style for item in texts) or not _ENDS.match(text, end.end_mark.index):
        return  # or the rest is a fault of its own
    is_class = all(_CLASS.fullmatch(item.value) for item in texts) and any(_RANGE.search(item.value) for item in texts)
    written = text[start.start_mark.index : end.end_mark.index]
    if is_class or (len(texts) == 1 and re.fullmatch(r"\^?\w+", texts[0].value, re.A)):
        message = f"{written} is read as a list of {len(texts)}; write {_single(written)} in quotes for one of these characters"
        more = "" if is_class else f", or {_single(texts[0].value)} for this pattern"
        line = start.start_mark.line
        edit = None
        if is_class and len(texts) == 1 and line == end.end_mark.line:
            begin = text.rfind("\n", 0, start.start_mark.index) + 1
            stop = text.find("\n", end.end_mark.index)
            row_end = text[end.end_mark.index : stop if stop >= 0 else len(text)]
            edit = Edit("line", text[begin : start.start_mark.index] + _single(written) + row_end)
        yield Fault(codes.PERHAPS_A_CLASS, message + more, line + 1, edit=edit)


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
