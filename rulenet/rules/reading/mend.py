"""Lines that YAML refuses because a text needs quotes: what to write instead, so that the rest of the file is read too. Imports the codes.

A line is only mended if YAML accepts the file up to the end of it afterwards. The mended text has the same lines, so that faults further
down are reported where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import yaml

from rulenet.errors import Edit, Fault
from rulenet.rules.file import codes
from rulenet.rules.file.parse import LINE_BREAK, LOADER, Lines, parse_yaml
from rulenet.rules.reading.indentation import shifted

_MAX_MENDS = 50
_BUDGET = 3_000_000  # characters to parse again: a few seconds
_SLOT = re.compile(r"^(?P<head>\s*(?:- +)*(?:[\w-]+:[ \t]+)?)(?P<value>\S.*?)(?P<comment>[ \t]+#.*)?[ \t]*$")
_FIELD = re.compile(r"(?:^|[,{][ \t]*)[a-z_]+:[ \t]")
_DASH = re.compile(r"^(\s*)-(?=[a-z_]+:)")
_KEY = re.compile(r"^(\s*(?:- +)*[a-z_]+):(?=[^\s:])")
_ESCAPED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_SPECIAL = re.compile(r"[][{}#&*!|>%@`'\"]|: |^[-?] |:$")  # a text without any of these needs no quotes
_ITEM = re.compile(r"[:,\[{][ \t]+|[\[{]")  # what a value in brackets follows
_IN_BRACKETS = re.compile(
    r"[\[{,][ \t]*(?:[\w-]+:[ \t]+|(?![\w-]+:[ \t]))(?P<value>(?:[^\[\]{},'\"\s][^\[\]{},'\"]*[ \t])?#[^\[\]{},'\"]*)"
)
_NOTHING = re.compile(r"(?<=[\[{,])[ \t]*,")


class _Line(NamedTuple):
    """A line in another spelling, and why."""

    text: str
    part: str  # what is new in it
    why: str
    is_safe: bool = True  # whether it is obviously what was meant


def mended(text: str) -> tuple[Any, Lines, list[Fault]]:
    """What `parse_yaml` reads of a text whose lines are mended as far as they can be, with the faults of the text as it is."""
    found: list[Fault] = []
    budget, rows = _BUDGET, frozenset(LINE_BREAK.split(text))
    data, lines, faults = parse_yaml(text)
    while len(found) < _MAX_MENDS and any(fault.code in (codes.NOT_YAML, codes.YAML_FEATURE) for fault in faults):
        places, passed = _places(text)
        places = [n for n in places if n + 1 not in {fault.line for fault in found}]
        budget -= 2 * len(text)
        for n, line, candidate in _tries(text, places):
            budget -= len(text)
            if budget > 0 and _is_read(candidate, max(n, passed)):
                start, end = line_at(text, n)
                found.append(_fault(line, n + 1, faults, is_as_written=text[start:end] in rows))
                break
        else:
            break
        text = candidate
        data, lines, faults = parse_yaml(text)
    return data, lines, [*found, *faults]


def _fault(line: _Line, number: int, faults: list[Fault], *, is_as_written: bool) -> Fault:
    """What is wrong with a line that has been mended: in the words of the parser where it went on."""
    edit = Edit("line", line.text) if line.is_safe and is_as_written else None
    shown = line.part if len(line.part) < 80 else f"{line.part[:70]}…"
    said = [fault for fault in faults if fault.code is codes.YAML_FEATURE and fault.line == number]
    if said:
        return replace(said[0], edit=edit)
    return Fault(codes.NOT_YAML, f"not valid YAML: {line.why}; write {shown}", number, edit=edit)


def line_at(text: str, number: int) -> tuple[int, int]:
    """Where a line begins and ends, without its line break; lines are counted from 0, as YAML does."""
    breaks = list(LINE_BREAK.finditer(text))
    start = breaks[number - 1].end() if number else 0
    return start, breaks[number].start() if number < len(breaks) else len(text)


def _places(text: str) -> tuple[list[int], int]:
    """Numbers of the lines, from 0, that may be to blame for the first error, the likeliest first; and the line where it was noticed."""
    try:
        event: Any
        for event in yaml.parse(text, Loader=LOADER):
            if _is_mark(event):
                return [event.start_mark.line], event.start_mark.line
    except yaml.MarkedYAMLError as error:
        marks = [mark for mark in (error.context_mark, error.problem_mark) if mark]
        last = text.rstrip().count("\n")
        likely = [min(mark.line, last) for mark in reversed(marks)]
        inner = "quoted" in (error.context or "") or "simple key" in (error.context or "")
        likely = likely[::-1] if inner else likely
        return list(dict.fromkeys([*likely, max(likely[0] - 1, 0)])), max(likely)
    except (yaml.YAMLError, UnicodeError):
        return [], 0  # characters that YAML refuses have no line that quotes could mend
    return [], 0


def _is_mark(event: Any) -> bool:
    """Whether a text begins with an anchor, alias or tag, or with the sign of a block that has no lines."""
    if isinstance(event, yaml.ScalarEvent):
        return bool(event.anchor or event.tag or (event.style in ("|", ">") and not event.value.strip()))
    return isinstance(event, yaml.AliasEvent)


def _is_read(text: str, line: int) -> bool:
    """Whether YAML reads the text to the end of a line and beyond."""
    try:
        event: Any
        for event in yaml.parse(text, Loader=LOADER):
            if event.start_mark.line > line and not isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                return True
            if event.start_mark.line == line and _is_mark(event):
                return False
    except yaml.MarkedYAMLError as error:
        marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark]
        return min(marks, default=0) > line
    except (yaml.YAMLError, UnicodeError):
        return False
    return True


def _tries(text: str, places: Sequence[int]) -> Iterator[tuple[int, _Line, str]]:
    """What lines that may be to blame were perhaps meant to be: their numbers, how they are spelt then, and the text with them."""
    for n in places:
        start, end = line_at(text, n)
        for line in _spellings(text[start:end], text):
            yield n, line, text[:start] + line.text + text[end:]
    for n in places:
        start, end = line_at(text, n)
        why = "this line is indented like none that it can belong to"
        for new, indent in shifted(text, start):
            yield n, _Line(text[start:end], f"{indent} before it", why, is_safe=False), new


def _spellings(row: str, text: str) -> Iterator[_Line]:
    """What a line may have been meant to be, the likeliest first."""
    if key := _KEY.match(row):
        yield _Line(f"{key[1]}: {row[key.end() :]}", f"{key[1].strip(' -')}: …", "a space is missing after the colon")
    if dash := _DASH.match(row):
        yield _Line(
            f"{dash[1]}- {row[dash.end() :]}",
            f"- {row[dash.end() :].split(':')[0]}: …",
            "a space is missing after the dash",
        )
    if "\\" in row and '"' in row:
        new = _ESCAPED.sub(_unescaped, row)
        if new != row and (first := next(m for m in _ESCAPED.finditer(row) if _unescaped(m) != m[0])):
            why = "in double quotes a backslash begins an escape of YAML, and this one does not exist"
            yield _Line(new, f"{_unescaped(first)} in single quotes", why)
    if cut := _IN_BRACKETS.search(row):
        quoted = _single(cut["value"].strip())
        new = row[: cut.start("value")] + quoted + row[cut.end() :]
        yield _Line(new, quoted, "' #' begins a comment, so that the bracket is never closed")
    slot = _SLOT.match(row)
    if slot is None:
        return
    value = slot["value"]
    opened, closed = ("[", "]") if value.count("[") > value.count("]") else ("{", "}")
    if value[0] in "{[" and value.count(opened) > value.count(closed):
        new = slot["head"] + value + closed + (slot["comment"] or "")
        yield _Line(new, f"{closed} at its end", f"a bracket {opened} is not closed", is_safe=False)
    if value[0] in "{[":
        yield from _inside(row, slot.start("value"), text)
    if not _is_enclosed(value) or slot["head"].strip(" -") == "regex:":
        quoted = _single(_bare(value))
        yield _Line(slot["head"] + quoted + (slot["comment"] or ""), quoted, _why(value), _is_text(value, text))
    if _NOTHING.search(row):
        yield _Line(_NOTHING.sub("", row), "one comma", "nothing stands before a comma", is_safe=False)


def _is_enclosed(value: str) -> bool:
    """Whether the bracket at the start is closed at the end, so that the whole is a list or mapping."""
    depth = 0
    for at, character in enumerate(value):
        depth += (character in "[{") - (character in "]}")
        if depth == 0:
            return at == len(value) - 1 and at > 0
    return False


def _inside(row: str, start: int, text: str) -> Iterator[_Line]:
    """One value within brackets, in quotes."""
    for begin in [match.end() for match in _ITEM.finditer(row, start)][:-30:-1]:
        for end in [m.start() for m in re.finditer(r"[,}\]]", row[begin:])][:8]:
            value = row[begin : begin + end].rstrip()
            if (
                _SPECIAL.search(value)
                and not _FIELD.search(value)
                and not value.startswith(("'", '"'))
                and not value.endswith(",")
                and (not _is_enclosed(value) or row[:begin].rstrip().endswith("regex:"))
                and (begin + end >= len(row) - 1 or row[begin + end + 1] in " ]},")
            ):
                quoted = _single(value)
                yield _Line(row[:begin] + quoted + row[begin + end :], quoted, _why(value), _is_text(value, text))


def _why(value: str) -> str:
    first = value[0]
    if first in "@`%&*!":
        return f"a text that begins with '{first}' needs quotes"
    if first in "|>":
        return f"'{first}' begins a block of lines; a text that begins so needs quotes"
    if first in "'\"":
        return f"the quote ends at the next {first}" if value.count(first) > 1 else f"a quote {first} is not closed"
    if "[" in value or "{" in value:
        return "brackets begin a list or mapping; a text with brackets needs quotes"
    if ": " in value or value.endswith(":"):
        return "': ' separates a field from its value; a text with it needs quotes"
    return "this text needs quotes"


def _is_text(value: str, text: str) -> bool:
    """Whether a mark of YAML at the start of a value is meant as a character: nothing follows or refers to it."""
    if value[0] not in "&*!":
        return value[0] not in "'\"" or value.count(value[0]) > 1
    partner = {"&": "*", "*": "&"}.get(value[0])
    return " " not in value and not value.startswith("!!") and not (partner and partner + value[1:] in text)


def _bare(value: str) -> str:
    """A value without the quotes around it."""
    if value[0] not in "'\"" or value.count(value[0]) == 1:
        return value.lstrip("'\"")
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] else value


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unescaped(match: re.Match[str]) -> str:
    """A text in double quotes in single ones, if YAML does not know one of its escapes."""
    escapes = re.findall(r"\\(.)", match[1])
    if all(escape in '0abt\tnvfre "/\\N_LPxuU' for escape in escapes):
        return match[0]
    return _single(re.sub(r"\\([\"\\])", r"\1", match[1]))
