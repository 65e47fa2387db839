"""Rules × texts → R. The fast path of the rule layer. Imports `rulenet.text`, `rulenet.rules`, numpy and scipy.

Literals are looked for by two Aho-Corasick automata, one over folded words (" grand slam "), one over raw characters
(Chinese); regexes by RE2's Filter, which runs a pattern only on texts with the literals it requires. Texts are searched
in blocks, joined by a separator that is itself a pattern: counting separators tells which text a hit is in, so no position is
ever computed. A rule that is settled by its atoms alone is one sparse product; only rules that need positions or tags
(`near`, `negation`, `where`, `pos`, …) look at the text itself, and only where the atoms found leave them a chance.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import ahocorasick_rs
import numpy as np
import re2
import scipy.sparse

from rulenet.rules.conditions.condition import Span, atoms_of
from rulenet.rules.conditions.patterns import compile_regex, regex_options
from rulenet.rules.engine.evaluate import RuleMatcher
from rulenet.text.clean import clean
from rulenet.text.doc import Doc
from rulenet.text.fold import fold, is_unspaced
from rulenet.text.han import simplified
from rulenet.text.language import Language
from rulenet.text.raw import fold_raw, part_fields
from rulenet.text.record import Record
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser

BLOCK = 512
_SEPARATOR = "\x05"  # cleaned texts have no control characters; not one that is white space


class Matcher:
    """Rules compiled for one language; `words`, in scripts without spaces, are words that the tokeniser should know."""

    def __init__(
        self, rules: list[RuleMatcher], language: Language, *, words: Sequence[str], fold_traditional: bool
    ) -> None:
        self.language: Language = language
        self.rules = rules
        self._fold_traditional = fold_traditional
        self.atoms = sorted(atoms_of([part for rule in self.rules for part in (rule.condition, *rule.unless)]))
        self._index = {atom: i for i, atom in enumerate(self.atoms)}
        self.tagger = Tagger(Tokeniser(language, words))
        self._compile_engines()
        self._compile_rules()

    def _compile_engines(self) -> None:
        of_kind = {
            kind: [(i, atom.pattern) for i, atom in enumerate(self.atoms) if atom.kind == kind]
            for kind in ("word", "raw", "regex")
        }
        self._word = _automaton([f" {pattern} " for _, pattern in of_kind["word"]])
        self._raw = _automaton([pattern for _, pattern in of_kind["raw"]])
        # Atom number of each pattern; -1 is the separator, always the last pattern.
        self._word_atoms = np.array([i for i, _ in of_kind["word"]] + [-1], dtype=np.int64)
        self._raw_atoms = np.array([i for i, _ in of_kind["raw"]] + [-1], dtype=np.int64)
        self._regex = _RegexEngine([pattern for _, pattern in of_kind["regex"]]) if of_kind["regex"] else None
        self._regex_atoms = np.array([i for i, _ in of_kind["regex"]], dtype=np.int64)

    def _compile_rules(self) -> None:
        """Sort the rules into those that a sparse product settles and those that are evaluated one by one."""
        rows: list[int] = []  # atoms
        columns: list[int] = []  # rules they trigger
        self._always: list[int] = []
        for j, rule in enumerate(self.rules):
            triggers = rule.condition.triggers()
            if triggers is None:
                self._always.append(j)
                continue
            rows += [self._index[atom] for atom in triggers]
            columns += [j] * len(triggers)
        shape = (max(len(self.atoms), 1), len(self.rules))
        self._triggered = scipy.sparse.csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
        self._settled = np.array([rule.is_flat for rule in self.rules], dtype=bool)

    def match(self, texts: Sequence[str], day: datetime.date | None = None) -> scipy.sparse.csr_matrix:
        """R of shape (n_texts, n_rules), int8 with a stored 1 where a rule fires that is active on that day (None: today)."""
        day = day or datetime.date.today()
        is_active = np.array([rule.rule.is_active(day) for rule in self.rules], dtype=bool)
        blocks = [self._match_block(texts[at : at + BLOCK], is_active) for at in range(0, len(texts), BLOCK)]
        return stack(blocks, len(self.rules))

    def _match_block(self, texts: Sequence[str], is_active: Any) -> scipy.sparse.csr_matrix:
        cleaned = [clean(text) for text in texts]
        if self._fold_traditional:
            cleaned = [simplified(text) for text in cleaned]
        text_of, atom_of = self._atoms_of_block(texts, cleaned)
        shape = (len(texts), max(len(self.atoms), 1))
        A = scipy.sparse.csr_matrix((np.ones(len(text_of), dtype=np.int32), (text_of, atom_of)), shape=shape)
        candidates = (A @ self._triggered).tocoo()
        wanted = is_active[candidates.col]
        row, column = candidates.row[wanted], candidates.col[wanted]
        settled = self._settled[column]
        rows, columns = [row[settled]], [column[settled]]
        always = [j for j in self._always if is_active[j]]
        for i, asked in self._open_questions(row[~settled], column[~settled], always, len(texts)):
            doc = self.doc(texts[i], cleaned[i])
            fired = self._ask(asked, doc, A.indices[A.indptr[i] : A.indptr[i + 1]])
            rows.append(np.full(len(fired), i))
            columns.append(np.array(fired, dtype=np.int64))
        fired_in, fired_rule = np.concatenate(rows), np.concatenate(columns)
        R = scipy.sparse.csr_matrix(
            (np.ones(len(fired_in), dtype=np.int8), (fired_in, fired_rule)), shape=(len(texts), len(self.rules))
        )
        R.sort_indices()
        return R

    @staticmethod
    def _open_questions(rows: Any, columns: Any, always: list[int], n_texts: int) -> Iterator[tuple[int, list[int]]]:
        """For each text the rules that its atoms alone do not decide."""
        asked: dict[int, list[int]] = {row: list(always) for row in range(n_texts)} if always else {}
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            asked.setdefault(row, []).append(column)
        return iter(asked.items())

    def _ask(self, columns: list[int], doc: Doc, found: Any) -> list[int]:
        """Which of these rules fire on a text with these atoms."""
        atoms = {self.atoms[i] for i in found.tolist()}
        fired = []
        for j in columns:
            rule = self.rules[j]
            if (rule.condition.possible(atoms) and rule.find(doc) is not None) if rule.needs_doc else rule.holds(atoms):
                fired.append(j)
        return fired

    def doc(self, text: str, clean: str | None = None) -> Doc:
        """A text as the rules read it."""
        return Doc(text, self.tagger, fold_traditional=self._fold_traditional, clean=clean)

    def _atoms_of_block(self, texts: Sequence[str], cleaned: list[str]) -> tuple[Any, Any]:
        """Pairs (text, atom), each once."""
        pairs = []
        if self._word is not None:
            # Folded texts begin and end with the space that their first and last word need.
            pairs.append(_search(self._word, _SEPARATOR.join(map(fold, cleaned)), self._word_atoms))
        if self._raw is not None:
            parted = (part_fields(c) if isinstance(t, Record) else c for t, c in zip(texts, cleaned, strict=True))
            joined = _SEPARATOR.join(text if is_unspaced(text) else "" for text in parted)
            pairs.append(_search(self._raw, fold_raw(joined), self._raw_atoms))
        if self._regex is not None:
            hits = [self._regex.search(text) for text in cleaned]
            rows = np.repeat(np.arange(len(cleaned)), [len(h) for h in hits])
            pairs.append((rows, self._regex_atoms[np.array([i for h in hits for i in h], dtype=np.int64)]))
        if not pairs:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        text = np.concatenate([t for t, _ in pairs])
        atom = np.concatenate([a for _, a in pairs])
        key = np.unique(text * len(self.atoms) + atom)
        return key // len(self.atoms), key % len(self.atoms)

    def spans(self, text: str) -> dict[str, list[Span]]:
        """Where each rule that fires today hits, in the text as given."""
        doc = self.doc(text)
        today = datetime.date.today()
        found = zip(self.rules, self.find(doc, range(len(self.rules))), strict=True)
        return {
            rule.rule.id: [doc.cleaned.original_span(*span) for span in spans]
            for rule, spans in found
            if spans is not None and rule.rule.is_active(today)
        }

    def find(self, doc: Doc, columns: Sequence[int]) -> list[list[Span] | None]:
        """For each of some rules its hits in the cleaned text; None where it does not fire."""
        return [self.rules[j].find(doc) for j in columns]


class _RegexEngine:
    """Many RE2 patterns at once.

    A filter looks for the literals of its patterns with one automaton, whose memory RE2 limits: it refuses to compile more.
    So a refused filter is split in two, and a single pattern that is refused is searched for by itself.
    """

    def __init__(self, patterns: list[str]) -> None:
        # Each with the number of its first pattern.
        self._filters: list[tuple[int, Any]] = []
        self._alone: list[tuple[int, Any]] = []
        todo = [(0, patterns)]
        while todo:
            first, part = todo.pop()
            engine = re2.Filter()
            for pattern in part:
                engine.Add(pattern, regex_options())
            try:
                engine.Compile()
            except re2.error:
                middle = len(part) // 2
                if middle:
                    todo += [(first, part[:middle]), (first + middle, part[middle:])]
                else:
                    self._alone.append((first, compile_regex(part[0])))
            else:
                self._filters.append((first, engine))

    def search(self, text: str) -> list[int]:
        """Numbers of the patterns that hit."""
        found = [first + i for first, engine in self._filters for i in engine.Match(text) or ()]
        return found + [i for i, regex in self._alone if regex.search(text) is not None]


def stack(blocks: list[scipy.sparse.csr_matrix], n_rules: int) -> scipy.sparse.csr_matrix:
    """R of consecutive texts → R of all."""
    if not blocks:
        return scipy.sparse.csr_matrix((0, n_rules), dtype=np.int8)
    return scipy.sparse.csr_matrix(scipy.sparse.vstack(blocks, format="csr", dtype=np.int8))


def _automaton(patterns: list[str]) -> Any:
    """Aho-Corasick over the patterns and the separator; None without patterns."""
    return ahocorasick_rs.AhoCorasick([*patterns, _SEPARATOR]) if patterns else None


def _search(automaton: Any, joined: str, atom_of_pattern: Any) -> tuple[Any, Any]:
    """Pairs (text, atom) of all hits in joined texts; hits come in order of their end."""
    hits = automaton.find_matches_as_indexes(joined, overlapping=True)
    atom = atom_of_pattern[np.fromiter(map(itemgetter(0), hits), dtype=np.int64, count=len(hits))]
    text = np.cumsum(atom < 0)
    inside = atom >= 0
    return text[inside], atom[inside]
