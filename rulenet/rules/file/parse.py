"""YAML text → plain data with the line of every value. Runs no code and stays linear whatever it is fed.

Reads YAML 1.2 the way a rule author means it: every scalar is the text as written (`no`, `007`, `1.10` stay what
they are); the schema turns it into numbers where it wants numbers. Anchors, tags and merges are refused: lexicons serve that
purpose. Imports only errors.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from rulenet.errors import Code, Fault
from rulenet.rules.file import codes

Path = tuple[str | int, ...]
MAX_DEPTH = 40
MAX_CHARACTERS = 50_000_000
MAX_VALUES = 2_000_000
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for the end of a line
# libyaml is some ten times faster; the pure parser takes over where a platform lacks it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lines(dict[Path, int]):
    """1-based line of each value, by its path from the top of the file."""

    def at(self, path: Path) -> int:
        """Line of a path, or of its nearest ancestor."""
        while path and path not in self:
            path = path[:-1]
        return self.get(path, 1)


def parse_yaml(text: str) -> tuple[Any, Lines, list[Fault]]:
    """Parse a YAML document: its data, of dicts, lists, strings and None (None if it cannot be read), the lines, the faults.

    Examples
    --------
    >>> data, lines, faults = parse_yaml("rules:\\n  - word: no\\n")
    >>> data, lines[("rules", 0, "word")], faults
    ({'rules': [{'word': 'no'}]}, 2, [])
    """
    lines = Lines()
    faults: list[Fault] = []
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text):,} characters, more than {MAX_CHARACTERS:,}; split it"
        return None, lines, [Fault(codes.TOO_LARGE, message, 1)]
    try:
        data = _Builder(lines, faults).build(yaml.parse(text, Loader=LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ": ".join(filter(None, (error.context, error.problem)))
        # If the text ends too soon, the mark is behind the last line.
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 1
        is_tab = error.problem_mark is not None and text.startswith("\t", error.problem_mark.index)
        todo = "This is a tab: indent with spaces" if is_tab else "Check indentation, quotes and colons"
        what = f"{what}. {todo}"
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        character = error.character if isinstance(error.character, int) else ord(error.character[:1])
        what = f"character #x{character:04x} is not allowed. Remove it"
    except UnicodeEncodeError as error:
        line = text[: error.start].count("\n") + 1
        what = "half a character (a lone surrogate). Remove it"
    else:
        return data, lines, faults
    return None, lines, [*faults, Fault(codes.NOT_YAML, f"not valid YAML: {what}", line)]


class _Builder:
    """Builds data from parser events with an explicit stack: deep nesting cannot overflow the interpreter's."""

    def __init__(self, lines: Lines, faults: list[Fault]) -> None:
        self.lines = lines
        self.faults = faults
        # Each open container with the key that waits for its value (None in a list, or when a key comes next).
        self.stack: list[tuple[dict[str, Any] | list[Any], str | None]] = []
        self.path: list[str | int] = []
        self.root: Any = None
        self.documents = 0

    def _say(self, code: Code, message: str, line: int) -> None:
        self.faults.append(Fault(code, message, line, path=tuple(self.path)))

    def build(self, events: Any) -> Any:
        for event in events:
            line = event.start_mark.line + 1
            if len(self.lines) > MAX_VALUES:
                self._say(codes.TOO_LARGE, f"more than {MAX_VALUES:,} values; put long lists into CSV files", line)
                return None
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    message = "a second YAML document begins here ('---'); put each ruleset into a file of its own"
                    self._say(codes.YAML_FEATURE, message, line)
                    return None
            elif isinstance(event, yaml.AliasEvent):
                message = f"alias '*{event.anchor}' is not allowed. Use a lexicon; quote a text that begins with '*'"
                self._say(codes.YAML_FEATURE, message, line)
                self._add(f"*{event.anchor}", line)
            elif isinstance(event, yaml.ScalarEvent):
                self._check_marks(event, line)
                plain = not event.style
                self._add(None if plain and event.value in _NULLS else event.value, line)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._check_marks(event, line)
                if len(self.stack) >= MAX_DEPTH:
                    self._say(codes.TOO_LARGE, f"nested more than {MAX_DEPTH} levels deep; simplify it", line)
                    return None
                if self._awaits_key():
                    self._say(codes.YAML_FEATURE, "a field name must be a plain word, not a list or mapping", line)
                    return None
                container: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
                self._place(container, line)
                self.stack.append((container, None))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self.stack.pop()
                self._done()
        return self.root

    def _check_marks(self, event: Any, line: int) -> None:
        if event.tag is not None:
            message = f"tag {event.tag!r} is not allowed. Remove it; quote a text that begins with '!'"
            self._say(codes.YAML_FEATURE, message, line)
        if event.anchor is not None:
            message = f"anchor '&{event.anchor}' is not allowed. Remove it; quote a text that begins with '&'"
            self._say(codes.YAML_FEATURE, message, line)
        if getattr(event, "style", None) in ("|", ">") and not event.value.strip():
            message = f"'{event.style}' begins a block of lines, but there is none; quote a text that begins with '{event.style}'"
            self._say(codes.YAML_FEATURE, message, line)

    def _awaits_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1][0], dict) and self.stack[-1][1] is None

    def _add(self, value: Any, line: int) -> None:
        """Place a scalar: a key, a value or a list item."""
        container = self.stack[-1][0] if self.stack else None
        if isinstance(container, dict) and self._awaits_key():
            key = "null" if value is None else value
            if key in container:
                self._say(codes.DUPLICATE_KEY, f"{key!r} is given twice in the same mapping; keep one", line)
            self.stack[-1] = (container, key)
            self.lines.setdefault((*self.path, key), line)
            return
        self._place(value, line)
        self._done()

    def _place(self, value: Any, line: int) -> None:
        if not self.stack:
            self.root = value
            self.lines[()] = line
            return
        container, key = self.stack[-1]
        if isinstance(container, dict):
            self.path.append(key or "")
            container[key or ""] = value
        else:
            self.path.append(len(container))
            container.append(value)
        self.lines.setdefault(tuple(self.path), line)

    def _done(self) -> None:
        """A value is complete: step back to its container, which now waits for the next key or item."""
        if self.path:
            self.path.pop()
        if self.stack:
            self.stack[-1] = (self.stack[-1][0], None)
