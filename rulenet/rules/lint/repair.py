"""`rulenet rules lint --fix`: carries out the edits of the faults. Imports the rest of `rulenet.rules`, no numpy.

What a fault's edit should change is decided where the fault is found; here it becomes a change of the text. An edit is safe: it leaves the
meaning as it was, or makes it what was obviously meant. Comments, order and layout stay. Not repaired, as only the author can know:
duplicate or contradicting rules, labels that are not declared, missing names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rulenet.errors import Edit, Fault
from rulenet.rules.conditions.word_smells import COMMA
from rulenet.rules.file import codes
from rulenet.rules.file.parse import Path as PathInFile
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.lint.lint import lint_text
from rulenet.rules.reading.characters import badness, ordinary
from rulenet.rules.reading.mend import line_at
from rulenet.rules.writing.format import split_encoding
from rulenet.rules.writing.spelling import is_plain, quote
from rulenet.rules.writing.syntax import Entry, Node, build_tree, with_edits

MAX_ROUNDS = 10


class Change(NamedTuple):
    """A stretch of the text, what to write there instead, and what that does."""

    start: int
    end: int
    new: str
    what: str


def repair(text: str, name: str = "<string>", path: Path | None = None) -> tuple[str, list[Fault]]:
    """Repair what is safe to repair; the parameters are those of `lint_text`.

    Returns the new text, and the faults that are repaired in order of line, each with what was done as its message. No repair makes a new
    fault or loses a comment; the text may still have faults.

    Examples
    --------
    >>> text, repaired = repair("rulenet: 1\\nrules:\\n  - {id: a, label: x, word: [oil price], confidence: 90%}  # mine\\n")
    >>> print(text)
    rulenet: 1
    rules:
      - {id: a, label: x, phrase: [oil price], confidence: 0.9}  # mine
    <BLANKLINE>
    >>> print(repaired[-1])
    3: rule 'a': 'word' is now 'phrase' [RN221 several-words]
    """
    mark, line_break, body = split_encoding(text)
    repaired = []
    if "\r" in text:
        what = f"all lines now end in {line_break!r}, as most did"
        as_written = lint_text(text[len(mark) :], name, path)
        repaired = [replace(fault, message=what) for fault in as_written if fault.edit and fault.edit.verb == "breaks"]
    faults = lint_text(body, name, path)
    for _ in range(MAX_ROUNDS):  # some repairs have to wait for others
        changes = list(_chosen(body, faults))
        if not changes:
            break
        new = with_edits(body, [change[:3] for _, change in changes])
        if badness(new) > badness(body) or (not parse_yaml(body)[2] and _comments(new) != _comments(body)):
            break
        body = new
        repaired += [replace(fault, message=change.what) for fault, change in changes]
        faults = lint_text(body, name, path)
    if not repaired:
        return text, []
    return mark + body.replace("\n", line_break), sorted(repaired, key=lambda fault: fault.line)


def can_fix(text: str, faults: Sequence[Fault]) -> list[bool]:
    """Whether `repair` can do something about each fault of a text."""
    if not any(fault.edit and fault.file is None for fault in faults):
        return [False] * len(faults)
    body = split_encoding(text)[2]
    tree = None if parse_yaml(body)[2] else build_tree(body)
    return [
        fault.file is None and (fault.code is codes.MIXED_LINE_ENDS or any(changes_of(fault, body, tree)))
        for fault in faults
    ]


def _comments(text: str) -> Counter[str]:
    return Counter() if parse_yaml(text)[2] else Counter(comment.text for comment in build_tree(text).comments())


def _chosen(text: str, faults: Iterable[Fault]) -> Iterator[tuple[Fault, Change]]:
    """The changes of a round: those of the text itself that do not overlap an earlier one."""
    tree = None if parse_yaml(text)[2] else build_tree(text)
    taken: list[Change] = []
    for fault in faults:
        for change in changes_of(fault, text, tree) if fault.file is None else ():
            if all(change.end <= other.start or change.start >= other.end for other in taken):
                taken.append(change)
                yield fault, change


def changes_of(fault: Fault, text: str, tree: Node | None) -> Iterator[Change]:
    """What the edit of a fault changes in the text; nothing, if it has none or it cannot be done. `tree`: None if not YAML."""
    edit = fault.edit
    if edit is None:
        return
    if edit.verb == "characters":
        at = sum(len(line) + 1 for line in text.split("\n")[: fault.line - 1])
        for start, end, new in ordinary(text, at):
            yield Change(start, end, new, f"{text[start:end]!r} is now {new!r}")
    elif edit.verb == "line":
        start, end = line_at(text, fault.line - 1)
        yield Change(start, end, edit.new, f"the line is now {edit.new.strip()!r}")
    elif tree is not None and tree.kind == "mapping" and tree.entries:
        trail = _trail(tree, fault.path)
        yield from _in_tree(edit, tree, trail)


def _trail(tree: Node, path: PathInFile) -> list[tuple[Node, Entry]]:
    """Each list or mapping on the way to a value, with the entry that leads on; ends early where the text has no more."""
    node, trail = tree, []
    for step in path:
        if isinstance(step, int) and node.kind != "list":
            continue  # a single value in place of a list
        entry = node.entry(step) if isinstance(step, str) else node.entries[step]
        if entry is None:
            break
        trail.append((node, entry))
        node = entry.value
    return trail


def _in_tree(edit: Edit, tree: Node, trail: list[tuple[Node, Entry]]) -> Iterator[Change]:
    value = trail[-1][1].value if trail else tree
    if edit.verb == "add" and value.kind == "mapping":
        at = value.entries[0].start
        yield Change(at, at, edit.new + (", " if value.style == "flow" else "\n"), f"added {edit.new}")
    elif edit.verb == "rename":
        keys = [(outer, entry.key) for outer, entry in trail if entry.key is not None]
        if keys and keys[-1][0].entry(edit.new) is None:
            yield _written(keys[-1][1], edit.new if is_plain(edit.new) else quote(edit.new))
    elif edit.verb == "write" and value.kind == "scalar":
        yield _written(value, edit.new)
    elif edit.verb == "quote" and value.kind == "scalar":
        yield _written(value, edit.new if is_plain(edit.new) else quote(edit.new, single=value.style == "'"))
    elif edit.verb == "split":
        yield from _split(value, trail[-1][0])
    elif edit.verb == "merge":
        yield from _merged(value if value.kind == "list" else trail[-1][0])


def _written(node: Node, new: str) -> Change:
    return Change(node.start, node.end, new, f"{node.text!r} is now {new.strip(chr(34) + chr(39))!r}")


def _split(value: Node, outer: Node) -> Iterator[Change]:
    """A text with commas, not in quotes, as items of a list."""
    parts = [part.strip() for part in COMMA.split(value.text)]
    in_brackets = outer.kind == "list" and outer.style == "flow"
    can_be_list = outer.kind == "mapping" or in_brackets
    if value.kind == "scalar" and value.style is None and can_be_list and all(map(is_plain, parts)):
        new = ", ".join(parts) if in_brackets else f"[{', '.join(parts)}]"
        yield Change(value.start, value.end, new, f"{value.text!r} is now a list: {new}")


def _merged(node: Node) -> Iterator[Change]:
    """Each item that an earlier one repeats, without its comma or dash; not where a comment may say why it is there."""
    seen: set[str] = set()
    comments = [comment.start for comment in node.comments()]
    for i, entry in enumerate(node.entries):
        value = entry.value
        if value.kind != "scalar":
            continue
        start = node.entries[i - 1].value.end
        is_bare = not entry.after and not any(start <= comment < value.end for comment in comments)
        if value.text in seen and is_bare:
            yield Change(start, value.end, "", f"removed {value.text!r}, which was listed twice")
        seen.add(value.text)
