"""Smells of a rule file that loads: what is legal but probably not meant. Imports the rest of `rulenet.rules`, no numpy."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator

from rulenet.errors import Fault, RuleFileError
from rulenet.rules.conditions import Condition, Literals, Regexes, compile_regex, uses_tags
from rulenet.rules.examples import run_examples
from rulenet.rules.ruleset import RuleSet
from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced

# A symbol that carries meaning but is only a gap to the literal engine: C++ is found wherever c is.
_SYMBOL = re.compile(r"[+#@$%€£¥*=<>|~^]")
_GROUP_NAME = re.compile(r"\(\?P?<\w+>")  # to `clean`, `(?P<name>` holds a tag


def lint(path: str | os.PathLike[str]) -> list[Fault]:
    """Every fault and smell of a rule file, in order of line.

    Faults have severity ``"error"``, smells ``"warning"``. Raises nothing for a bad file.

    Examples
    --------
    >>> lint("no-such-file.yaml")[0].message
    'no such file; working folder: ...'
    """
    try:
        return lint_ruleset(RuleSet.load(path))
    except RuleFileError as error:
        return list(error.faults)


def lint_ruleset(ruleset: RuleSet) -> list[Fault]:
    """Contradicted examples (errors) and smells (warnings) of a ruleset; examples of `pos` rules are left to `run_examples`."""
    tagger_missing = ruleset.language != "zh" and importlib.util.find_spec("textblob") is None
    faults = []
    for i, (rule, (condition, unless)) in enumerate(zip(ruleset.rules, ruleset.conditions, strict=True)):
        line = ruleset.lines.at(("rules", i))
        smells = [smell for part in (condition, *unless) for smell in _smells(part)]
        if tagger_missing and any(map(uses_tags, (condition, *unless))):
            smells.append("uses pos, which needs a tagger: pip install 'rulenet[pos]'")
        if condition.triggers() is None and uses_tags(condition):
            smells.append(
                "tags every text, which is slow; put the pos pattern under `all` beside a word that must be there"
            )
        elif condition.triggers() is None:
            smells.append("fires by absence alone, so on most texts; add a condition that must hit")
        faults += [Fault(smell, line, rule.id, "warning") for smell in dict.fromkeys(smells)]
    # Loading a tagger takes seconds; `rulenet rules test` does that.
    failed = [result for result in run_examples(ruleset, tagged=False) if not result.passed]
    for result in failed:
        what = "does not fire on" if result.expected == "match" else "fires on"
        faults.append(
            Fault(
                f"{what} its {result.expected} example {result.text!r}; correct the rule or the example",
                result.line,
                result.rule,
            )
        )
    return sorted(faults, key=lambda fault: fault.line)


def _smells(condition: Condition) -> Iterator[str]:
    for part in getattr(condition, "parts", ()):
        yield from _smells(part)
    if isinstance(condition, Literals):
        for literal in condition.literals:
            if not is_unspaced(literal) and _SYMBOL.search(literal):
                yield f"{literal!r} is matched as {fold(literal).strip()!r}: symbols are gaps between words; use a regex if they matter"
    if isinstance(condition, Regexes):
        for pattern in condition.patterns:
            if compile_regex(pattern).search("") is not None:
                yield f"regex {pattern!r} matches the empty text, so it fires everywhere; make a part obligatory"
            bare = _GROUP_NAME.sub("(", pattern)
            if clean(bare) != bare:
                yield (
                    f"regex {pattern!r} holds characters that cleaning replaces (full-width forms, entities); "
                    f"write them as in {clean(bare)!r}"
                )
            if re.search(r"(?:\\b[^\x00-\x7f]|[^\x00-\x7f]\\b)", pattern):
                yield f"regex {pattern!r}: \\b is ASCII in RE2 and never holds beside a non-ASCII letter; leave it out"
