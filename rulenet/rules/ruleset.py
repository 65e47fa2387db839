"""RuleSet: a rule file, checked and ready to match. Imports `rulenet.text` and the rest of `rulenet.rules`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rulenet.errors import Fault, InputError, RuleFileError
from rulenet.rules.check import Readable, content_faults, readable, resolve_lexicons, schema_faults
from rulenet.rules.conditions import Condition, atoms_of, build
from rulenet.rules.evaluate import RuleMatcher
from rulenet.rules.parse import Lines, parse_yaml
from rulenet.rules.schema import Rule, RuleFile
from rulenet.text.language import Language

if TYPE_CHECKING:
    import scipy.sparse

    from rulenet.rules.match import Matcher


class RuleSet:
    """An immutable set of rules.

    Make one with `RuleSet.load` or `RuleSet.from_yaml`. Two rulesets with the same text are equal.

    Attributes
    ----------
    source
        The YAML text, comments included.
    name
        File name for messages.

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

    def __init__(self, file: RuleFile, *, source: str, name: str, lines: Lines) -> None:
        self.file = file
        self.source = source
        self.name = name
        self.lines = lines
        self._matchers: dict[Language, Matcher] = {}

    # ------------------------------------------------------------------ making one

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> RuleSet:
        """Read a rule file.

        Raises
        ------
        RuleFileError
            With every fault of the file: line, rule, what, and what to do.
        """
        path = Path(path)
        if path.is_dir():
            raise RuleFileError(str(path), [Fault("this is a folder; name a rule file", 0)])
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            raise RuleFileError(str(path), [Fault(f"no such file; working folder: {Path.cwd()}", 0)]) from None
        except OSError as error:
            raise RuleFileError(str(path), [Fault(f"cannot be read: {error.strerror}", 0)]) from None
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise RuleFileError(
                str(path), [Fault(f"byte {error.start} is not UTF-8; save the file as UTF-8", line)]
            ) from None
        return cls.from_yaml(text, name=str(path))

    @classmethod
    def from_yaml(cls, text: str, *, name: str = "<string>") -> RuleSet:
        """Read rules from YAML text.

        Raises
        ------
        RuleFileError
            With every fault of the text.
        """
        data, lines, faults = parse_yaml(text)
        if not faults and data is None:
            faults = [Fault("the file is empty; it needs at least `rulenet: 1` and `rules:`", 1)]
        elif data is not None and not isinstance(data, dict):
            faults.append(Fault("the file must be a mapping with `rulenet: 1` and `rules:`", 1))
        file = None
        if isinstance(data, dict):
            try:
                file = RuleFile.model_validate(data)
            except ValidationError as error:
                faults += schema_faults(error, data, lines)
                faults += content_faults(readable(data), lines)
        if file is not None:
            faults += content_faults(Readable(file.labels, file.lexicons, dict(enumerate(file.rules))), lines)
        if faults or file is None:
            raise RuleFileError(name, faults)
        return cls(file, source=text, name=name, lines=lines)

    # ------------------------------------------------------------------ reading it

    @property
    def rules(self) -> list[Rule]:
        """The rules in file order."""
        return self.file.rules

    @property
    def language(self) -> str:
        """``"en"``, ``"zh"`` or ``"any"``."""
        return self.file.language

    @cached_property
    def labels(self) -> list[str]:
        """The declared labels, or those of the rules in order of appearance."""
        return list(self.file.labels) or list(dict.fromkeys(rule.label for rule in self.rules))

    @cached_property
    def ids(self) -> list[str]:
        """Ids of the rules: names of the columns of R."""
        return [rule.id for rule in self.rules]

    @cached_property
    def conditions(self) -> list[tuple[Condition, tuple[Condition, ...]]]:
        """For each rule its condition and what must not hold beside it."""
        lexicons = resolve_lexicons(self.file)
        return [(build(rule, lexicons), tuple(build(part, lexicons) for part in rule.unless)) for rule in self.rules]

    @cached_property
    def unspaced_literals(self) -> list[str]:
        """Literals in scripts without spaces that rules look for: words that the model's tokeniser should know.

        Those under `none` and `unless` are left out: they are often traps that cross the border of words.
        """
        atoms = atoms_of([condition for condition, _ in self.conditions], denied=False)
        return sorted(atom.pattern for atom in atoms if atom.kind == "raw")

    def evaluators(self, language: Language) -> list[RuleMatcher]:
        """Each rule, ready to be asked of one text."""
        return [RuleMatcher(r, c, u, language) for r, (c, u) in zip(self.rules, self.conditions, strict=True)]

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
        self, texts: Sequence[str], *, language: Language | None = None, n_jobs: int | None = None
    ) -> scipy.sparse.csr_matrix:
        """Which rule fires on which text.

        Parameters
        ----------
        texts
            The texts as given by the user.
        language
            Language for tokens, tags and negation; default: the file's own, ``"en"`` where that is ``any``.
        n_jobs
            Processes to share the texts among, as joblib counts; None: one.

        Returns
        -------
        scipy.sparse.csr_matrix
            R of shape (n_texts, n_rules), int8: a stored 1 where the rule fires. Columns in file order.
        """
        if isinstance(texts, str):
            raise InputError("match takes a list of texts, not one string; write [text]")
        found: list[Any] = list(texts)  # a pandas Series would be indexed by its labels
        for i, text in enumerate(found):
            if not isinstance(text, str):
                raise InputError(f"texts[{i}] is {text!r:.40} ({type(text).__name__}), not a string")
        from rulenet.rules.match import match_parallel

        return match_parallel(self, found, self._language(language), n_jobs)

    def spans(self, text: str, *, language: Language | None = None) -> dict[str, list[tuple[int, int]]]:
        """Where each rule that fires hits, as (start, end) in the text as given.

        A rule that fires by absence (`none`) has an empty list.
        """
        return self.matcher(language).spans(text)

    def matcher(self, language: Language | None = None) -> Matcher:
        """The compiled engine for a language; compiled once."""
        from rulenet.rules.match import Matcher  # scipy is slow to import, and linting does not need it

        chosen = self._language(language)
        if chosen not in self._matchers:
            self._matchers[chosen] = Matcher(self, chosen)
        return self._matchers[chosen]

    def _language(self, language: Language | None) -> Language:
        return language or ("zh" if self.language == "zh" else "en")

    # ------------------------------------------------------------------ writing it

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rules as they were read, comments and order included."""
        Path(path).write_bytes(self.source.encode())  # bytes: line ends stay as they are

    def __getstate__(self) -> dict[str, Any]:
        # Automata do not pickle; they are rebuilt on demand.
        return {"file": self.file, "source": self.source, "name": self.name, "lines": self.lines, "_matchers": {}}
