"""RuleSet: a rule file, checked and ready to match. Imports `rulenet.text` and the rest of `rulenet.rules`."""

from __future__ import annotations

import datetime
import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulenet.base.files import write_file
from rulenet.base.memory import no_garbage_collection
from rulenet.errors import InputError
from rulenet.rules.conditions.condition import Condition, InField, atoms_of, conditions_in
from rulenet.rules.conditions.kinds import build, parts_of
from rulenet.rules.engine.evaluate import RuleMatcher
from rulenet.rules.engine.negation import Negation
from rulenet.rules.file.parse import Lines
from rulenet.rules.file.schema import Rule
from rulenet.rules.reading.check import resolve_lexicons
from rulenet.rules.reading.sources import Bundle, columns, read_bundle, read_text
from rulenet.text.clean import clean
from rulenet.text.han import simplified
from rulenet.text.language import Language
from rulenet.text.raw import readable
from rulenet.text.record import Record
from rulenet.text.tokenise import words_for_jieba

if TYPE_CHECKING:
    import scipy.sparse

    from rulenet.rules.engine.match import Matcher
    from rulenet.rules.engine.parallel import Job


class RuleSet:
    """An immutable set of rules.

    Make one with `RuleSet.load` or `RuleSet.from_yaml`. Two rulesets with the same text are equal.

    Attributes
    ----------
    source
        The YAML text, comments included; several files are put together into one.
    name
        File name for messages.
    file
        What the author wrote, in all files.
    sources
        For each rule of `file.rules` the text that it comes from, and its number there.
    top
        The text of the file itself, without those it includes.
    rules
        The columns of R: the rules in order, a rule with ``negation: {flip: …}`` as two.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml('''
    ... rulenet: 1
    ... rules:
    ...   - {id: win, label: Sports, word: [win, wins]}
    ...   - {id: oil, label: Business, phrase: oil price}
    ... ''')
    >>> ruleset.labels, len(ruleset)
    (['Sports', 'Business'], 2)
    >>> ruleset.match(["Lakers win", "Oil&nbsp;price up", "none"]).toarray().tolist()
    [[1, 0], [0, 1], [0, 0]]
    >>> ruleset.spans("Lakers win, win")
    {'win': [(7, 10), (12, 15)]}
    """

    def __init__(self, bundle: Bundle, name: str) -> None:
        self.name = name
        self.source = bundle.text
        self.file = bundle.file
        self.top = bundle.sources[-1]
        self.files = [source.path for source in bundle.sources if source.path is not None] + bundle.lists
        self.sources = [
            (source, i) for source in bundle.sources for i in range(len(source.file.rules) if source.file else 0)
        ]
        expanded = columns(self.file)
        self.rules = [rule for _, rule in expanded]
        self.written = [i for i, _ in expanded]
        self._matchers: dict[Language, Matcher] = {}
        self._like: RuleSet | None = None

    # ------------------------------------------------------------------ making one

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, may_be_empty: bool = False) -> RuleSet:
        """Read a rule file and all that it includes.

        Parameters
        ----------
        path
            The file.
        may_be_empty
            Whether it may have no rules yet, as where rules are to be suggested.

        Raises
        ------
        RuleFileError
            With every fault of the files: file, line, rule, what, and what to do.
        """
        path = Path(path)
        return cls(read_bundle(read_text(path), str(path), path, may_be_empty=may_be_empty), str(path))

    @classmethod
    def from_yaml(cls, text: str, *, name: str = "<string>") -> RuleSet:
        """Read rules from YAML text, which cannot name other files.

        Raises
        ------
        RuleFileError
            With every fault of the text.
        """
        return cls(read_bundle(text, name, None), name)

    # ------------------------------------------------------------------ reading it

    def place(self, i: int, *path: str | int) -> tuple[str, int]:
        """File and line of rule `i` of `file.rules`, or of a value in it."""
        source, j = self.sources[i]
        return source.name, source.lines.at(("rules", j, *path))

    @property
    def lines(self) -> Lines:
        """Line of each value of the file itself, not of those it includes."""
        return self.top.lines

    @cached_property
    def places(self) -> list[tuple[str, int]]:
        """File and line of each column."""
        return [self.place(i) for i in self.written]

    @property
    def language(self) -> str:
        """``"en"``, ``"zh"`` or ``"any"``."""
        return self.file.language

    @cached_property
    def labels(self) -> list[str]:
        """The declared labels, or those of the rules in order of appearance."""
        return list(self.file.labels) or list(dict.fromkeys(label for rule in self.rules for label in rule.evidence))

    @cached_property
    def ids(self) -> list[str]:
        """Ids of the rules: names of the columns of R."""
        return [rule.id for rule in self.rules]

    @cached_property
    def lexicons(self) -> dict[str, dict[str, float]]:
        """Entries of each word list, with what a hit adds to a count."""
        return resolve_lexicons(self.file)

    @cached_property
    def conditions(self) -> list[tuple[Condition, tuple[Condition, ...]]]:
        """For each column its condition and those that must not be fulfilled."""
        options: dict[str, Any] = {"lexicons": self.lexicons, "fold_traditional": self.file.fold_traditional}
        like, self._like = self._like, None
        shared = {} if like is None else _shared_conditions(self, like)
        made = [
            shared.get(r.id) or (build(r, **options), tuple(build(part, **options) for part in r.unless))
            for r in self.file.rules
        ]
        return [made[i] for i in self.written]

    def compile_like(self, other: RuleSet) -> None:
        """Reuse what was compiled for the same rules of another set, so that an edit costs only what it changes."""
        like: RuleSet | None = other
        while like is not None and "conditions" not in like.__dict__:
            like = like._like
        if like is not self:
            self._like = like

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Chinese words that decide, besides jieba's own, where `segmented` hits may begin and end.

        Nothing else of the file is among them, so that no rule changes what another one finds.
        """
        words = [simplified(word) if self.file.fold_traditional else word for word in map(clean, self.file.words)]
        return tuple(sorted({made for word in words for made in words_for_jieba(word)}))

    @cached_property
    def term_words(self) -> list[str]:
        """Chinese words that the tokeniser of a model's terms should know: `words`, and literals that rules look for.

        Those under `none` and `unless` are left out: they are often traps that cross the border of words.
        """
        todo = [condition for condition, _ in self.conditions]
        atoms = atoms_of(todo, denied=False, wanted=lambda part: part.makes_words)
        return sorted({*self.words, *(readable(atom.pattern) for atom in atoms if atom.kind == "raw")})

    def evaluators(self, language: Language) -> list[RuleMatcher]:
        """Each column's rule, ready to be evaluated on one text."""
        cues = self.file.negation_cues
        negation = Negation(language, [simplified(cue) for cue in cues] if self.file.fold_traditional else cues)
        return [RuleMatcher(r, c, u, negation) for r, (c, u) in zip(self.rules, self.conditions, strict=True)]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the YAML text."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.rules)

    def __repr__(self) -> str:
        return f"RuleSet({self.name!r}, {len(self)} rules, labels={self.labels})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleSet) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    # ------------------------------------------------------------------ matching

    def match(
        self,
        texts: Sequence[str | Mapping[str, str]],
        *,
        language: Language | None = None,
        n_jobs: int | None = None,
        on: datetime.date | None = None,
    ) -> scipy.sparse.csr_matrix:
        """Which rule fires on which text.

        Parameters
        ----------
        texts
            The texts as given by the user; a mapping is a record with named fields.
        language
            Language for tokens, tags and negation; default: the file's own, ``"en"`` where that is ``any``.
        n_jobs
            Processes to share the texts among, as joblib counts; None: one.
        on
            The day for which `since` and `until` are read; None: today.

        Returns
        -------
        scipy.sparse.csr_matrix
            R of shape (n_texts, n_rules), int8: a stored 1 where the rule fires. Columns in file order.
        """
        if isinstance(texts, str):
            raise InputError("match takes a list of texts, not one string; write [text]")
        if isinstance(texts, Mapping):
            raise InputError("match takes a list of texts, not one record; write [record]")
        from rulenet.rules.engine.parallel import match_parallel

        found = [_as_text(text, i) for i, text in enumerate(texts)]
        fields = sorted(self._fields)
        if fields and found and not any(isinstance(text, Record) for text in found):
            warnings.warn(
                f"rules of {self.name} read the field {', '.join(fields)}, but no text is a record, so they do not fire; "
                "pass dicts such as {'title': …, 'body': …}",
                UserWarning,
                stacklevel=2,
            )
        return match_parallel(self, self._job(language, on), found, n_jobs, len(self))

    def match_stream(
        self,
        texts: Iterable[str | Mapping[str, str]],
        *,
        language: Language | None = None,
        n_jobs: int | None = None,
        on: datetime.date | None = None,
        block: int = 16_384,
    ) -> Iterator[scipy.sparse.csr_matrix]:
        """R of any number of texts, block by block in their order, in memory that does not grow with them.

        Parameters
        ----------
        texts
            Read as they are needed, a few blocks ahead.
        block
            Texts in one part of R.
        language, n_jobs, on
            See `match`.
        """
        from rulenet.rules.engine.parallel import match_stream

        found = (_as_text(text, i) for i, text in enumerate(texts))
        return match_stream(self, self._job(language, on), found, n_jobs, block)

    @cached_property
    def _fields(self) -> frozenset[str]:
        conditions = [part for condition, unless in self.conditions for part in (condition, *unless)]
        return frozenset(p.name for c in conditions for p in conditions_in(c) if isinstance(p, InField))

    def spans(self, text: str, *, language: Language | None = None) -> dict[str, list[tuple[int, int]]]:
        """Where each rule that fires hits, as (start, end) in the text as given.

        A rule that fires by absence (`none`) has an empty list.
        """
        return self.matcher(language).spans(text)

    def matcher(self, language: Language | None = None) -> Matcher:
        """The compiled engine for a language; compiled once."""
        from rulenet.rules.engine.match import Matcher  # scipy is slow to import, and linting does not need it

        chosen = self._language(language)
        if chosen not in self._matchers:
            with no_garbage_collection():
                fold, words = self.file.fold_traditional, self.words
                self._matchers[chosen] = Matcher(self.evaluators(chosen), chosen, words=words, fold_traditional=fold)
        return self._matchers[chosen]

    def _job(self, language: Language | None, day: datetime.date | None) -> Job:
        from rulenet.rules.engine.parallel import Job

        return Job(RuleSet.from_yaml, self.source, self._language(language), day or datetime.date.today())

    def _language(self, language: Language | None) -> Language:
        return language or ("zh" if self.language == "zh" else "en")

    # ------------------------------------------------------------------ writing it

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rules as they were read, comments and order included."""
        write_file(Path(path), self.source.encode())  # bytes: line ends stay as they are

    def __getstate__(self) -> dict[str, Any]:
        # Automata do not pickle; they are rebuilt on demand.
        return {**self.__dict__, "_matchers": {}, "_like": None}


def _shared_conditions(ruleset: RuleSet, like: RuleSet) -> dict[str, tuple[Condition, tuple[Condition, ...]]]:
    """Conditions of rules that are the same in another set, by id."""
    if like.file.fold_traditional != ruleset.file.fold_traditional:
        return {}
    known = {
        like.file.rules[i].id: (like.file.rules[i], made) for i, made in zip(like.written, like.conditions, strict=True)
    }
    has_same_lists = like.lexicons == ruleset.lexicons
    return {
        rule.id: known[rule.id][1]
        for rule in ruleset.file.rules
        if rule.id in known and known[rule.id][0] == rule and (has_same_lists or not _reads_a_lexicon(rule))
    }


def _reads_a_lexicon(rule: Rule) -> bool:
    return any(part.kind.lexicons(part) for top in parts_of(rule) for part in top.walk())


def _as_text(text: Any, i: int) -> str:
    """A text, or a record made of a mapping."""
    if isinstance(text, str):
        return text
    if isinstance(text, Mapping) and text and all(isinstance(part, str) for pair in text.items() for part in pair):
        return Record.of(text)
    what = f"{text!r:.40} ({type(text).__name__}), not a string"
    if isinstance(text, Mapping):
        what = "a record with fields that are not strings; fill them with text" if text else "an empty record"
    raise InputError(f"texts[{i}] is {what}")
