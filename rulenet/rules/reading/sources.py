"""A rule file with all that it includes → one checked `RuleFile`. Imports the reading half of `rulenet.rules`.

Other files (`include`, lexicons from CSV) are read only from the folder of the first file and below, links followed: a rule
file from a stranger must not read other files.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rulenet.base.memory import no_garbage_collection
from rulenet.errors import Fault, RuleFileError
from rulenet.rules.conditions.words import literal_flaw
from rulenet.rules.file import codes
from rulenet.rules.file.fields import MAX_WEIGHT
from rulenet.rules.file.parse import Lines, parse_yaml
from rulenet.rules.file.schema import Flip, LexiconEntry, LexiconFile, Rule, RuleFile, WeightedTerm
from rulenet.rules.file.wording import quoted
from rulenet.rules.reading.check import NO_MAPPING, Costs, content_faults, schema_faults
from rulenet.rules.reading.salvage import Readable, readable

MAX_BYTES = 50_000_000  # of one file
MAX_CHAIN = 50
MAX_FILES = 1_000
MAX_ENTRIES = 1_000_000  # of a list in a CSV file
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass
class Source:
    """One YAML text of a ruleset."""

    name: str  # for messages
    text: str
    path: Path | None = None  # where it was read; None for text that came from no file
    file: RuleFile | None = None  # None where the schema refuses it
    content: Readable | None = None
    has_rules: bool = False
    include: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)

    def parse(self) -> None:
        """Read the text as far as it can be read; nothing is raised."""
        data, lines, faults = parse_yaml(self.text)
        self._read(data, lines, faults)
        if self.faults:
            from rulenet.rules.reading.characters import odd_characters
            from rulenet.rules.reading.mend import mended

            odd, text = odd_characters(self.text)
            if odd or faults:  # what can be mended hides no other fault, and causes none
                self.faults = odd
                self._read(*mended(text))

    def _read(self, data: Any, lines: Lines, faults: list[Fault]) -> None:
        self.lines = lines
        self.faults += faults
        if data is None and not faults:
            message = "the file is empty; it needs at least `rulenet: 1` and `rules:`"
            self.faults = [Fault(codes.NOT_A_RULE_FILE, message, 1)]
        elif data is not None and not isinstance(data, dict):
            self.faults.append(Fault(codes.NOT_A_RULE_FILE, NO_MAPPING, 1))
        elif isinstance(data, dict):
            self._validate(data)

    def _validate(self, data: dict[str, Any]) -> None:
        self.has_rules = data.get("rules", []) != []
        include = data.get("include", [])
        names = include if isinstance(include, list) else [include]
        self.include = [name for name in names if isinstance(name, str) and name]
        try:
            self.file = RuleFile.model_validate(data)
        except ValidationError as error:
            self.faults += schema_faults(error, data, self.lines)
            self.content = readable(data)
            return
        file = self.file
        rules = dict(enumerate(file.rules))
        self.content = Readable(file.labels, file.lexicons, rules, file.negation_cues, file.words)


@dataclass(frozen=True)
class Bundle:
    """All texts of a ruleset, checked together."""

    sources: list[Source]  # the included files first, the file itself last
    file: RuleFile  # everything in one; lexicon files are read in
    lists: list[Path]  # CSV files that were read

    @cached_property
    def text(self) -> str:
        """One YAML text with everything; the author's own, comments included, if there is only one."""
        if len(self.sources) == 1 and not self.lists:
            return self.sources[-1].text
        data = self.file.model_dump(mode="json", exclude_defaults=True)
        head = f"# Put together from {', '.join(Path(s.name).name for s in self.sources)}\n"
        return head + yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


def read_text(path: Path) -> str:
    """Text of a file; a RuleFileError if there is no such file, or it is not UTF-8."""
    try:
        with open(path, "rb") as handle:
            content = handle.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise RuleFileError(str(path), [Fault(codes.TOO_LARGE, f"more than {MAX_BYTES:,} bytes; split it")])
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        fault = no_file(f"no such file; working folder: {Path.cwd()}")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        fault = no_file(f"byte {error.start} is not UTF-8; save the file as UTF-8", line)
    except RuleFileError:
        raise
    except (OSError, ValueError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        fault = no_file("this is a folder; name a rule file" if os.path.isdir(path) else what)
    raise RuleFileError(str(path), [fault])


def no_file(message: str, line: int = 0) -> Fault:
    """The fault of a file that cannot be read."""
    return Fault(codes.UNREADABLE_FILE, message, line)


def read_bundle(text: str, name: str, path: Path | None, *, may_be_empty: bool = False) -> Bundle:
    """Read a rule file and all that it names; a RuleFileError has every fault of all files. `may_be_empty`: it may have no rules yet."""
    with no_garbage_collection():
        reader = _Reader(path)
        reader.read(Source(name, text, path), trail=())
        reader.check(may_be_empty)
    sources = reader.sources
    faults = [replace(f, file=None if s is sources[-1] else s.name) for s in sources for f in s.faults]
    faults += reader.list_faults
    if faults:
        raise RuleFileError(name, faults)
    return Bundle(sources, reader.merged(), list(reader.lists))


class _Reader:
    """Follows includes and lexicon files."""

    def __init__(self, path: Path | None) -> None:
        self.root = None if path is None else path.absolute().parent.resolve()
        self.sources: list[Source] = []
        self.done: set[Path] = set()
        self.size = 0  # characters of the files that others name
        self.lists: dict[Path, list[LexiconEntry]] = {}
        self.list_faults: list[Fault] = []

    def read(self, source: Source, trail: tuple[Path, ...]) -> None:
        source.parse()
        here = source.path.resolve() if source.path else None
        trail = (*trail, here) if here else trail
        for i, name in enumerate(source.include):
            at = source.lines.at(("include", i))
            path, problem = self._locate(name, source)
            if path is None:
                source.faults.append(Fault(codes.BAD_PATH, f"include {name!r} {problem}", at))
            elif path in trail:
                circle = " → ".join(p.name for p in (*trail[trail.index(path) :], path))
                message = f"files include each other in a circle: {circle}; remove one of these links"
                source.faults.append(Fault(codes.INCLUDE_CIRCLE, message, at))
            elif len(trail) > MAX_CHAIN:
                message = f"include {name!r}: more than {MAX_CHAIN} files that include each other; simplify"
                source.faults.append(Fault(codes.TOO_LARGE, message, at))
            elif path not in self.done and len(self.done) >= MAX_FILES:
                message = f"include {name!r}: more than {MAX_FILES:,} files in all; put several into one"
                source.faults.append(Fault(codes.TOO_LARGE, message, at))
                break
            elif path not in self.done:
                self.done.add(path)
                text = _read_named(path, f"include {name!r}", source, at)
                if text is not None and self._has_room(text, source, at):
                    self.read(Source(str(_beside(source, name)), text, path), trail)
        for lexicon, entries in (source.content.lexicons if source.content else {}).items():
            for i, entry in enumerate(entries or ()):
                if isinstance(entry, LexiconFile):
                    self._read_list(entry.file, source, source.lines.at(("lexicons", lexicon, i)))
        self.sources.append(source)

    def _locate(self, name: str, source: Source) -> tuple[Path | None, str]:
        """Where a named file is; None and the reason, if it may not be read."""
        if source.path is None or self.root is None:
            return None, "cannot be read, as this text does not come from a file; use RuleSet.load, or copy its content"
        if "\0" in name or Path(name).is_absolute() or "\\" in name:
            return None, "must be a relative path with forward slashes, such as lists/teams.csv"
        try:
            path = (source.path.absolute().parent / name).resolve()
        except (OSError, RuntimeError):  # a name too long, a circle of links
            return None, "cannot be found; check the path"
        if self.root not in path.parents:
            return None, f"is outside {self.root}; only files in that folder or below are read"
        return path, ""

    def _has_room(self, text: str, source: Source, line: int) -> bool:
        """Whether a further file may be read; all together have the limit of one."""
        self.size += len(text)
        if self.size <= MAX_BYTES:
            return True
        message = f"the files named here have more than {MAX_BYTES:,} characters in all; leave some out"
        source.faults.append(Fault(codes.TOO_LARGE, message, line))
        return False

    def _read_list(self, name: str, source: Source, line: int) -> None:
        path, problem = self._locate(name, source)
        if path is None:
            source.faults.append(Fault(codes.BAD_PATH, f"lexicon file {name!r} {problem}", line))
        elif path not in self.lists:
            self.lists[path] = []
            text = _read_named(path, f"lexicon file {name!r}", source, line)
            if text is not None and self._has_room(text, source, line):
                self.lists[path], faults = parse_list(text)
                self.list_faults += [replace(fault, file=str(_beside(source, name))) for fault in faults]

    def check(self, may_be_empty: bool) -> None:
        """Find faults in what the texts say; names are common to all of them."""
        top = self.sources[-1]
        includes_failed = bool(top.include) and any(source.faults for source in self.sources)
        has_rules = any(source.has_rules for source in self.sources)
        if top.content is not None and not has_rules and not includes_failed and not may_be_empty:
            message = "there are no rules; add some under `rules:`, or name a file that has some under `include:`"
            top.faults.append(Fault(codes.NO_RULES, message, top.lines.at(("rules",))))
        contents = [source.content for source in self.sources if source.content is not None]
        lexicons: dict[str, Any] = {}
        for content in contents:
            lexicons |= content.lexicons
        labels = contents[-1].labels if contents else []
        seen: dict[str, str] = {}
        costs = Costs()
        owner: dict[str, Source] = {}
        for source in self.sources:
            if source.content is None:
                continue
            known = replace(source.content, labels=labels or source.content.labels, lexicons=lexicons)
            before = set(seen)
            own = set(source.content.lexicons)
            source.faults += content_faults(known, source.lines, seen, own, costs)
            for added in seen.keys() - before:
                seen[added] = f"{source.name}, {seen[added]}" if len(self.sources) > 1 else seen[added]
            for lexicon in own:
                if lexicon in owner:
                    message = f"lexicon {lexicon!r} is also defined in {owner[lexicon].name}; rename one of the two"
                    line = source.lines.at(("lexicons", lexicon))
                    source.faults.append(Fault(codes.DUPLICATE_LEXICON, message, line))
                owner[lexicon] = source
            if source.file and top.file and source.file.language not in ("any", top.file.language):
                languages = f"is written for {source.file.language!r}, but {top.name} for {top.file.language!r}"
                message = f"the file {languages}; change `language`"
                source.faults.append(Fault(codes.OTHER_LANGUAGE, message, source.lines.at(("language",))))

    def merged(self) -> RuleFile:
        """One file with the content of all."""
        files = [source.file for source in self.sources if source.file is not None]
        top = files[-1]
        if len(files) == 1 and not self.lists:
            return top
        lexicons: dict[str, list[LexiconEntry]] = {}
        for source in self.sources:
            for name, entries in (source.file.lexicons if source.file else {}).items():
                lexicons[name] = [taken for entry in entries for taken in self._taken_in(entry, source)]
        return top.model_copy(
            update={
                "labels": top.labels or list(dict.fromkeys(label for file in files for label in file.labels)),
                "include": [],
                "fold_traditional": any(file.fold_traditional for file in files),
                "words": list(dict.fromkeys(word for file in files for word in file.words)),
                "negation_cues": list(dict.fromkeys(cue for file in files for cue in file.negation_cues)),
                "lexicons": lexicons,
                "rules": [rule for file in files for rule in file.rules],
                "cases": [case for file in files for case in file.cases],
            }
        )

    def _taken_in(self, entry: LexiconEntry, source: Source) -> Sequence[LexiconEntry]:
        if not isinstance(entry, LexiconFile):
            return [entry]
        path, _ = self._locate(entry.file, source)
        return self.lists[path] if path is not None else []


def included_in(path: Path) -> Iterator[Path]:
    """The files that a rule file includes, as far as it can be read."""
    try:
        data, _, _ = parse_yaml(read_text(path))
    except RuleFileError:
        return
    names = data.get("include") if isinstance(data, dict) else ()
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, str) and "\0" not in name:
            yield (path.parent / name).resolve()


def _read_named(path: Path, what: str, source: Source, line: int) -> str | None:
    """Text of a file that another one names; None if it cannot be read, which is then a fault of the other one."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):  # a pipe would be waited for
        source.faults.append(no_file(f"{what}: this is not a regular file; name a file", line))
        return None
    try:
        return read_text(path)
    except RuleFileError as error:
        reason = error.faults[0].message
        if reason.startswith("no such file"):
            reason = f"no such file; the path is taken from {Path(source.name).parent}"
        source.faults.append(no_file(f"{what}: {reason}", line))
        return None


def _beside(source: Source, name: str) -> Path:
    """A file named in another, as a message should show it."""
    return Path(source.name).parent / name


def parse_list(text: str) -> tuple[list[LexiconEntry], list[Fault]]:
    """Entries of a CSV word list with the header ``term`` or ``term,weight``.

    Examples
    --------
    >>> parse_list("term,weight\\ngreat,2\\nfine,\\n")
    ([WeightedTerm(term='great', weight=2.0), 'fine'], [])
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    entries: list[LexiconEntry] = []
    faults: list[Fault] = []
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if header not in (["term"], ["term", "weight"]):
            shown = ",".join(header) or "nothing"
            message = f"the first line must be the header 'term' or 'term,weight', not {shown[:60]!r}"
            return [], [Fault(codes.BAD_WORD_LIST, message, 1)]
        for row in rows:
            cells = [cell.strip() for cell in row]
            if len(entries) + len(faults) >= MAX_ENTRIES:
                return [], [Fault(codes.TOO_LARGE, f"more than {MAX_ENTRIES:,} entries; split the list", rows.line_num)]
            if any(cells):
                entry = _list_entry(cells, len(header))
                if isinstance(entry, Fault):
                    faults.append(replace(entry, line=rows.line_num))
                else:
                    entries.append(entry)
    except csv.Error as error:
        message = f"not a CSV file: {error}; write one term per line, in quotes if it contains a comma"
        faults.append(Fault(codes.BAD_WORD_LIST, message, rows.line_num))
    if not entries and not faults:
        faults.append(Fault(codes.EMPTY_LEXICON, "the list is empty; fill it or remove it", 1))
    return entries, faults


def _list_entry(cells: list[str], n_columns: int) -> LexiconEntry | Fault:
    if len(cells) > n_columns:
        message = f"{len(cells)} cells, but the header has {n_columns}; quote a term that contains a comma"
        return Fault(codes.BAD_WORD_LIST, message)
    if not cells[0]:
        return Fault(codes.BAD_WORD_LIST, "the term is empty; fill it or remove the line")
    if flaw := literal_flaw(cells[0], "lexicon"):
        return Fault(flaw.code, flaw.message)
    if len(cells) == 1 or not cells[1]:
        return cells[0]
    try:
        return WeightedTerm.model_validate({"term": cells[0], "weight": cells[1]})
    except ValidationError:
        message = f"weight {quoted(cells[1])} is not a number from -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}; correct it"
        return Fault(codes.BAD_WORD_LIST, message)


def columns(file: RuleFile) -> list[tuple[int, Rule]]:
    """The rules as columns of R, each with the number of the rule it comes from: one with `flip` makes two."""
    found: list[tuple[int, Rule]] = []
    for i, rule in enumerate(file.rules):
        if isinstance(rule.negation, Flip):
            negated = {"id": f"{rule.id}.negated", "label": rule.negation.flip, "negation": "require"}
            found += [(i, rule.model_copy(update=update)) for update in ({"negation": "skip"}, negated)]
        else:
            found.append((i, rule))
    return found
