"""Change a rule file and leave everything else in it as it is, comments included. Imports errors, files and the rest of `rulenet.rules`.

Edits are made in the text itself, at places that the tree of `syntax` knows; what is put in is laid out as by `format`. After every
edit the text is read again, and must say exactly what was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rulenet.base.files import write_file
from rulenet.errors import Fault, InputError, RuleFileError
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.reading.check import suggest
from rulenet.rules.reading.sources import read_text
from rulenet.rules.writing.compose import as_read, field_lines, inline, rule_lines
from rulenet.rules.writing.format import IN_RULES, RULE_FIELDS, check_shape, split_encoding
from rulenet.rules.writing.syntax import Entry, build_tree, with_edits


def load_text(path: str | os.PathLike[str]) -> str:
    """Text of a rule file with its byte-order mark and line ends.

    Raises
    ------
    RuleFileError
        If there is none, or it is not UTF-8.
    """
    read_text(Path(path))
    return Path(path).read_bytes().decode("utf-8")


def save_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file: at any moment it holds the old text or the new. A link stays a link, permissions stay.

    Raises
    ------
    RuleFileError
        If it cannot be written; the old file stays.
    """
    try:
        write_file(Path(path), text.encode())
    except OSError as error:
        raise RuleFileError(str(path), [Fault(f"cannot be written: {error.strerror}", 0)]) from error


def add_rules(path: str | os.PathLike[str], rules: Sequence[Mapping[str, Any]], *, comment: str = "") -> None:
    """Add rules behind the last one of a file; see `RuleDocument.add_rules`.

    Raises
    ------
    RuleFileError
        If the file cannot be read, has faults or would have some; it is then left alone.
    InputError
        If an id is taken.
    """
    document = RuleDocument.load(path)
    document.add_rules(rules, comment=comment)
    document.save(path)


class RuleDocument:
    """A rule file that can be changed.

    Parameters
    ----------
    text
        The file's text.
    name
        What messages call it.

    Raises
    ------
    RuleFileError
        If the text is not YAML as rule files use it.

    Examples
    --------
    >>> document = RuleDocument('''rulenet: 1
    ... rules:
    ...   # the first
    ...   - id: win
    ...     label: Sports   # not News
    ...     word: [win, wins]
    ... ''')
    >>> document.set_field("win", "weight", 1.5)
    >>> document.add_rules([{"id": "oil", "label": "Business", "phrase": "oil price"}])
    >>> print(document.text)
    rulenet: 1
    rules:
      # the first
      - id: win
        label: Sports   # not News
        word: [win, wins]
        weight: 1.5
    <BLANKLINE>
      - id: oil
        label: Business
        phrase: oil price
    <BLANKLINE>
    """

    def __init__(self, text: str, name: str = "<string>") -> None:
        self.name = name
        self._mark, self._line_break, self._body = split_encoding(text)
        self._edits: list[tuple[int, int, str]] = []  # from, to, new text; in the body as it was last read
        self._touched: set[str] = set()
        self._read()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RuleDocument:
        """Read a file.

        Raises
        ------
        RuleFileError
            If it cannot be read, or is not YAML as rule files use it.
        """
        return cls(load_text(path), str(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, unless the rules in it would have a fault.

        Raises
        ------
        RuleFileError
            With the faults of the changed text, or if it cannot be written.
        """
        text = self.text
        check_shape(self._body, str(path))
        save_text(path, text)

    @property
    def text(self) -> str:
        """The text with all changes."""
        self._apply()
        return self._mark + self._body.replace("\n", self._line_break)

    @property
    def ids(self) -> list[str]:
        """Ids of the rules."""
        return list(self._rules)

    # ------------------------------------------------------------------ editing

    def add_rules(self, rules: Sequence[Mapping[str, Any]], *, comment: str = "") -> None:
        """Add rules behind the last one.

        Parameters
        ----------
        rules
            Fields of each rule: texts, numbers, truth values, lists and mappings.
        comment
            Lines to put above the first of them.

        Raises
        ------
        InputError
            If an id is taken or missing.
        """
        taken = set(self._rules)
        for rule in rules:
            if rule.get("id") in taken or not rule.get("id"):
                raise InputError(
                    f"a rule needs an id of its own, and {rule.get('id')!r} is taken"
                    if rule.get("id")
                    else "a rule has no id"
                )
            taken.add(str(rule["id"]))
        if not rules:
            return
        self._apply()
        above = [f"# {line}".rstrip() for line in comment.splitlines()]
        entry = self._tree.entry("rules")
        self._data.setdefault("rules", [])
        self._data["rules"] = [*(self._data["rules"] or []), *(as_read(rule) for rule in rules)]
        if entry is None or not entry.value.entries:
            lines = ["rules:", *rule_lines(rules, 2, above)]
            if entry is None:
                self._put(
                    len(self._body),
                    ("" if self._body.endswith("\n") or not self._body else "\n") + "\n".join(["", *lines, ""]),
                )
            else:
                self._replace(
                    entry.start, max(entry.value.end, entry.start + len("rules:")), "\n".join(lines), entry.start
                )
        elif entry.value.style == "block":
            end = self._line_end(_last_place(entry.value.entries[-1]))
            self._put(end, "\n\n" + "\n".join(rule_lines(rules, entry.value.column, above)))
        else:
            written = [inline(rule, "rules", IN_RULES) for rule in rules]
            self._put(entry.value.entries[-1].value.end, "".join(f", {rule}" for rule in written))
        self._apply()

    def set_field(self, rule_id: str, field: str, value: Any) -> None:
        """Give a rule's field a value, or take the field away (None).

        Raises
        ------
        InputError
            If there is no such rule, or `field` is its id: see `rename_rule`.
        """
        if field == "id":
            raise InputError("the id is changed with rename_rule")
        rule, data = self._rule(rule_id)
        entry = rule.value.entry(field)
        if value is None:
            if entry is not None:
                data.pop(field)
                self._remove(rule, entry)
            return
        data[field] = as_read(value)
        if rule.value.style == "flow":
            written = f"{field}: {inline(value, field, IN_RULES.inside(field))}"
        else:
            written = "\n".join(field_lines(field, value, rule.value.column)).lstrip(" ")
        if entry is not None:
            self._replace(entry.start, entry.value.end, written, entry.start)
            return
        rank = {name: i for i, name in enumerate(RULE_FIELDS)}
        before = [e for e in rule.value.entries if e.key and rank.get(e.key.text, 0) < rank.get(field, len(rank))]
        if rule.value.style == "flow":
            at = before[-1].value.end if before else rule.value.entries[0].start
            self._put(at, f", {written}" if before else f"{written}, ")
        elif before:
            self._put(self._line_end(_last_place(before[-1])), f"\n{' ' * rule.value.column}{written}")
        else:
            self._put(rule.value.start, f"{written}\n{' ' * rule.value.column}")

    def rename_rule(self, rule_id: str, new_id: str) -> None:
        """Give a rule another id.

        Raises
        ------
        InputError
            If there is no such rule, or the new id is taken or empty.
        """
        if new_id == rule_id:
            return
        if new_id in self._rules or not new_id:
            raise InputError(f"id {new_id!r} is taken" if new_id else "an id must not be empty")
        rule, data = self._rule(rule_id)
        value = rule.value.get("id")
        if value is not None:
            self._edits.append((value.start, value.end, inline(new_id, "id", IN_RULES.inside("id"))))
        data["id"] = new_id
        self._apply()

    def remove_rule(self, rule_id: str) -> None:
        """Take a rule away, with the comments inside it; comments above it stay.

        Raises
        ------
        InputError
            If there is no such rule.
        """
        self._apply()
        rule, data = self._rule(rule_id)
        self._data["rules"] = [other for other in self._data["rules"] if other is not data]
        section = self._tree.entry("rules")
        if section is None:
            return
        entries = section.value.entries
        if len(entries) == 1:
            above = [comment for comment in self._comments if section.start <= comment.start < rule.start]
            end = section.value.end if section.value.style == "flow" else self._line_end(_last_place(rule))
            self._edits.append((section.start, end, "\n".join([*(c.text for c in above), "rules: []"])))
        elif section.value.style == "flow":
            self._remove_from_brackets(entries, rule)
        else:
            start, end = self._line_start(rule.start), self._line_end(_last_place(rule)) + 1
            if self._body[:start].endswith("\n\n"):
                end += len(self._body[end:]) - len(self._body[end:].lstrip("\n"))
            self._edits.append((start, end, ""))
        self._apply()

    # ------------------------------------------------------------------ reading and applying

    def _read(self) -> None:
        self._data, _, faults = parse_yaml(self._body)
        if self._data is None and not faults:
            self._data = {}
        if not isinstance(self._data, dict) and not faults:
            faults = [Fault("the file must be a mapping with `rulenet: 1` and `rules:`", 1)]
        if faults:
            raise RuleFileError(self.name, faults)
        self._tree = build_tree(self._body)
        self._comments = list(self._tree.comments())
        section = self._tree.get("rules")
        entries = section.entries if section and section.kind == "list" else []
        named = [(entry.value.get("id"), entry) for entry in entries]
        self._rules = {node.text: (entry, i) for i, (node, entry) in enumerate(named) if node is not None}

    def _rule(self, rule_id: str) -> tuple[Entry, dict[str, Any]]:
        if rule_id in self._touched:
            self._apply()
        if rule_id not in self._rules:
            raise InputError(f"{self.name} has no rule {rule_id!r}{suggest(rule_id, self.ids)}")
        self._touched.add(rule_id)
        entry, i = self._rules[rule_id]
        return entry, self._data["rules"][i]

    def _apply(self) -> None:
        """Make the collected changes, and see that the text now says what was asked for."""
        self._touched = set()
        if not self._edits:
            return
        before, expected = self._body, self._data
        self._body = with_edits(before, self._edits)
        self._edits = []
        try:
            self._read()
            is_right = self._data == expected
        except RuleFileError:
            is_right = False
        if not is_right:
            self._body = before
            self._read()
            raise RuleFileError(
                self.name,
                [Fault("cannot be changed without disturbing the rest; change it by hand, and please report it")],
            )

    # ------------------------------------------------------------------ places in the text

    def _put(self, at: int, new: str) -> None:
        self._edits.append((at, at, new))

    def _replace(self, start: int, end: int, new: str, line_of: int) -> None:
        """Replace a stretch; comments in it move above the line of `line_of`."""
        lost = [comment.text for comment in self._comments if start <= comment.start < end]
        at = self._line_start(line_of)
        pad = self._body[at : at + len(self._body[at:line_of]) - len(self._body[at:line_of].lstrip(" "))]
        if lost:
            self._put(at, "".join(f"{pad}{text}\n" for text in lost))
        self._edits.append((start, end, new))

    def _remove(self, rule: Entry, entry: Entry) -> None:
        entries = rule.value.entries
        if rule.value.style == "flow":
            self._remove_from_brackets(entries, entry)
        elif self._body[self._line_start(entry.start) : entry.start].strip():
            # It shares its line with the dash: the next field takes its place.
            self._replace(entry.start, entries[entries.index(entry) + 1].start, "", entry.start)
        else:
            self._edits.append((self._line_start(entry.start), self._line_end(_last_place(entry)) + 1, ""))

    def _remove_from_brackets(self, entries: Sequence[Entry], entry: Entry) -> None:
        i = next(i for i, other in enumerate(entries) if other is entry)
        if i + 1 < len(entries):
            self._replace(entry.start, entries[i + 1].start, "", entry.start)
        else:
            self._replace(entries[i - 1].value.end if i else entry.start, entry.value.end, "", entry.start)

    def _line_start(self, at: int) -> int:
        return self._body.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        end = self._body.find("\n", at)
        return end if end >= 0 else len(self._body)


def _last_place(entry: Entry) -> int:
    """Where the last value or comment of an entry begins or ends."""
    places = [entry.value.end, *(comment.start for comment in entry.value.comments())]
    return max(*places, entry.after.start if entry.after else 0)
