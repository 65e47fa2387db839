"""Comments that ignore codes: ``# rulenet: ignore RN303``. Imports the tree of a rule file and what a ruleset is.

At the end of a line such a comment is about that line; above a rule, a lexicon or a condition about the whole of it; and above everything
else about the whole file. Errors cannot be ignored: they are certain to be mistakes. Like an unused `noqa`, a comment that ignores nothing
is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rulenet.errors import Code, Fault
from rulenet.rules.file import codes
from rulenet.rules.file.parse import LINE_BREAK, Lines, Path
from rulenet.rules.file.wording import suggest
from rulenet.rules.reading.sources import Source
from rulenet.rules.ruleset import RuleSet

_COMMENT = re.compile(r"#\s*rulenet:\s*ignore\b:?(.*)")
_REASON = re.compile(r"\s[-–—#(]")  # what follows says why
_BY_NAME = {name: code for code in codes.CODES for name in (code.number, code.name)}


@dataclass(frozen=True)
class _Ignore:
    """A comment, and what it is about: the whole file, a value with all inside it, or one line."""

    line: int
    words: Sequence[str]
    below: int  # the line that it is about; 0: the whole file
    path: Path | None  # of the value that begins there, if the comment is above it

    def covers(self, fault: Fault) -> bool:
        if not self.below:
            return True
        if self.path is not None and fault.path[: len(self.path)] == self.path:
            return True
        return fault.line == self.below


def not_ignored(ruleset: RuleSet, faults: list[Fault]) -> list[Fault]:
    """The faults that no comment of their file ignores, and those of the comments of the file itself."""
    sources = {source.name: source for source, _ in ruleset.sources} | {ruleset.top.name: ruleset.top}
    for source in sources.values():
        is_top = source is ruleset.top
        file = None if is_top else source.name
        for comment in _ignores(source):
            wanted = [_BY_NAME.get(word) for word in comment.words]
            hidden = {
                fault
                for fault in faults
                if fault.file == file and fault.code in wanted and fault.severity != "error" and comment.covers(fault)
            }
            faults = [fault for fault in faults if fault not in hidden]
            if is_top:
                used = {fault.code for fault in hidden}
                faults += _faults_of(comment, wanted, used)
    return faults


def _faults_of(comment: _Ignore, wanted: Sequence[Code | None], used: set[Code]) -> Iterator[Fault]:
    if not comment.words:
        message = "the comment ignores no code; name the codes, as in rulenet: ignore RN303"
        yield Fault(codes.UNKNOWN_CODE, message, comment.line)
    for word, code in zip(comment.words, wanted, strict=True):
        if code is None:
            yield Fault(codes.UNKNOWN_CODE, f"unknown code {word!r}{suggest(word, list(_BY_NAME))}", comment.line)
        elif code.severity == "error":
            message = f"{code} is an error, which cannot be ignored; correct it and remove the comment"
            yield Fault(codes.IGNORED_ERROR, message, comment.line)
        elif code not in used:
            yield Fault(codes.UNUSED_IGNORE, f"{code} does not occur here; remove it from the comment", comment.line)


def _ignores(source: Source) -> Iterator[_Ignore]:
    """The comments of a text that ignore something; the tree is read only if there may be any, as that takes a while."""
    if _COMMENT.search(source.text) is None:
        return
    from rulenet.rules.writing.format import split_encoding
    from rulenet.rules.writing.syntax import build_tree

    body = split_encoding(source.text)[2]
    rows = LINE_BREAK.split(body)
    starts = _first_at(source.lines)
    for comment in build_tree(body).comments():
        if match := _COMMENT.match(comment.text):
            line = len(LINE_BREAK.findall(body, 0, comment.start)) + 1
            words = [word for word in re.split(r"[,\s]+", _REASON.split(match[1])[0]) if word]
            if rows[line - 1].lstrip().startswith("#"):
                below = line + 1
                while below <= len(rows) and rows[below - 1].lstrip().startswith("#"):
                    below += 1
                is_at_top = line < source.lines.get((), 1)
                yield _Ignore(line, words, 0 if is_at_top else below, starts.get(below))
            else:
                yield _Ignore(line, words, line, None)


def _first_at(lines: Lines) -> dict[int, Path]:
    """The outermost value that begins on each line."""
    found: dict[int, Path] = {}
    for path, line in lines.items():
        if line not in found or len(path) < len(found[line]):
            found[line] = path
    return found
