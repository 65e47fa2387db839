r"""Published rule sets (`rules.json`) → rulenet YAML. Imports PyYAML only.

    python benchmarks/convert_rules.py shared/data/trec/rules.json            to the terminal
    python benchmarks/convert_rules.py shared/data/trec/rules.json -o trec.yaml

Each kind of rule has one function here. Its meaning is kept, with these exceptions:

- `contains_any`: substrings of the lower-cased text → quoted regexes, which also hit inside words ("no." in "casino.").
- `regex`: Python → RE2. `\w` and `[^\w]` become Unicode classes, which RE2's are not. `lower()` becomes "case ignored".
- `prefix_gap_expression`, `keyword_pos_neg`: two rules each, `.neg` and `.pos`, of which at most one fires, because only one
  can vote. They were written for texts in which punctuation was replaced by spaces, so a space in them is any run of characters
  that are neither letters nor digits, and such a run counts as one of the 20 characters of a gap.
- `ngram`: `word` or `phrase`; `cant` also as `can't`. Published n-grams skip stop words of an unnamed list: here the words
  must be adjacent.
- `max_tokens`: white-space tokens, counted by a regex (`length` counts words, which "good :)" has one of).
- `ner`, `sentiment_polarity`, `sentiment_subjectivity` need an entity recogniser and TextBlob: left out, and named in the file.

rulenet matches cleaned texts: entities are decoded (`#36;` is $) and markup is removed, so that the address of a link has no words.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

A = r"[\pL\pN]"  # a character of a word
S = r"[^\pL\pN]+"  # what a space stood for before punctuation became spaces
CONTRACTED = re.compile(r"\b(ca|do|is|was|did|does|are|were|would|could|should|ha[sd]|have|wo)nt\b|\b(i)m\b")

Published = dict[str, Any]
Rules = list[dict[str, Any]]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True  # rule files have no anchors


@dataclass(frozen=True)
class Converted:
    """A rule set as rulenet reads it.

    Attributes
    ----------
    rules
        Rules as mappings, ready for YAML.
    left_out
        Id of each published rule that cannot be converted → why.
    """

    rules: Rules
    left_out: dict[str, str]
    origin: str

    def yaml(self) -> str:
        """The rule file."""
        head = [f"# Converted by benchmarks/convert_rules.py from {self.origin}"]
        head += [f"# left out: {id}: {why}" for id, why in self.left_out.items()]
        data = {"rulenet": 1, "language": "en", "rules": self.rules}
        return "\n".join(head) + "\n" + yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=140)


def convert(published: Published) -> Converted:
    """Convert every rule of a set, in order.

    Raises
    ------
    ValueError
        If a kind of rule is unknown: no rule is dropped silently.

    Examples
    --------
    >>> convert({"rules": [{"id": "a", "kind": "contains_any", "class": "World", "patterns": ["u.n."]}]}).rules
    [{'id': 'a', 'label': 'World', 'regex': ['u\\.n\\.']}]
    """
    rules: Rules = []
    left_out = {}
    for rule in published["rules"]:
        if rule["kind"] in NOT_CONVERTED:
            left_out[rule["id"]] = NOT_CONVERTED[rule["kind"]]
        elif rule["kind"] in KINDS:
            rules += KINDS[rule["kind"]](rule)
        else:
            raise ValueError(f"rule {rule['id']!r}: unknown kind {rule['kind']!r}; known: {', '.join(KINDS)}")
    return Converted(rules, left_out, published.get("origin", "an unnamed source"))


def contains_any(rule: Published) -> Rules:
    """Convert substrings, which match anywhere, also inside words."""
    return [_rule(rule, regex=[_quoted(pattern) for pattern in dict.fromkeys(rule["patterns"])])]


def regex(rule: Published) -> Rules:
    r"""Python's `\w` takes in all letters, RE2's only those of ASCII."""
    patterns = [p.replace(r"[^\w]", r"[^\pL\pN_]").replace(r"\w", r"[\pL\pN_]") for p in rule["patterns"]]
    return [_rule(rule, regex=patterns)]


def max_tokens(rule: Published) -> Rules:
    """Convert `max_tokens`: fewer than five tokens between white space; the limit is only in the rule's note."""
    found = re.search(r"len\(text\.split\(\)\) < (\d+)", rule["note"])
    if found is None:
        raise ValueError(f"rule {rule['id']!r}: its note names no limit of tokens")
    return [_rule(rule, regex=[rf"^\s*(?:\S+\s*){{0,{int(found[1]) - 1}}}$"])]


def ngram(rule: Published) -> Rules:
    """Convert adjacent words, with and without the apostrophe."""
    spelled = [text for p in rule["patterns"] for text in dict.fromkeys((p, CONTRACTED.sub(_apostrophe, p)))]
    return [_rule(rule, **{"phrase" if " " in "".join(spelled) else "word": spelled})]


def prefix_gap_expression(rule: Published) -> Rules:
    """The first expression that has either prefix decides; of both prefixes the negative one."""
    neg, pos = (
        [{"regex": _prefix_gap(rule[side], expression, rule["gap"])} for expression in rule["expressions"]]
        for side in ("neg_prefixes", "pos_prefixes")
    )
    n = len(neg)
    # An expression's own side needs no denying: if an earlier one has it, the vote is the same.
    says_neg = [{"all": [neg[i], {"none": pos[:i]}]} if i else neg[i] for i in range(n)]
    says_pos = [{"all": [pos[i], {"none": neg[: i + 1]}]} for i in range(n)]
    return [_side(rule, "neg", any=says_neg), _side(rule, "pos", any=says_pos)]


def keyword_pos_neg(rule: Published) -> Rules:
    """Negative words, or positive ones with a negating prefix; only then positive words."""
    negated = [f"{_spaced(prefix)}{_spaced(word)}" for prefix in rule["negation_prefixes"] for word in rule["pos"]]
    neg = [_spaced(word) for word in rule["neg"]] + negated
    pos = [_spaced(word) for word in rule["pos"]]
    sides = [_side(rule, "neg", regex=neg)]
    return [*sides, _side(rule, "pos", regex=pos, unless=[{"regex": neg}])] if pos else sides


KINDS: dict[str, Callable[[Published], Rules]] = {
    f.__name__: f for f in (contains_any, regex, max_tokens, ngram, prefix_gap_expression, keyword_pos_neg)
}
NOT_CONVERTED = {
    "ner": "needs a named-entity recogniser",
    "sentiment_polarity": "is a mean over TextBlob's lexicon, and `count` adds up",
    "sentiment_subjectivity": "is a mean over TextBlob's lexicon, and `count` adds up",
}


def _rule(rule: Published, **condition: Any) -> dict[str, Any]:
    return {"id": rule["id"], "label": rule["class"], **condition}


def _side(rule: Published, label: str, **condition: Any) -> dict[str, Any]:
    return {"id": f"{rule['id']}.{label}", "label": label, **condition}


def _apostrophe(found: re.Match[str]) -> str:
    return f"{found[1]}n't" if found[1] else f"{found[2]}'m"


def _quoted(literal: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", literal)


def _spaced(literal: str) -> str:
    """Convert a literal in which a space may stand for punctuation."""
    return _quoted(literal).replace(" ", S)


def _prefix_gap(prefixes: list[str], expression: str, gap: int) -> str:
    """One of the prefixes, at most `gap` characters, the expression.

    Runs of spaces are one space, so before the space of an expression and after that of a prefix stands a character of a word.
    """
    bare = "|".join(_spaced(p) for p in prefixes if not p.endswith(" "))
    spaced = "|".join(_spaced(p[:-1]) for p in prefixes if p.endswith(" "))
    forms = [f"(?:{bare})(?:{_up_to(gap - 1)}{A})?"] if bare else []
    forms += [f"(?:{spaced}){S}{A}(?:{_up_to(gap - 2)}{A})?"] if spaced else []
    return f"(?:{'|'.join(forms)}){_spaced(expression)}"


def _up_to(most: int) -> str:
    """Match up to this many characters, a run of spaces counting as one."""
    return f"(?:{A}|{S}){{0,{most}}}"


def main() -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(description="Convert a published rule set to a rulenet file.")
    parser.add_argument("rules", type=Path, help="a rules.json")
    parser.add_argument("-o", "--output", type=Path, help="where to write; default: the terminal")
    chosen = parser.parse_args()
    converted = convert(json.loads(chosen.rules.read_text(encoding="utf-8")))
    if chosen.output:
        chosen.output.write_text(converted.yaml(), encoding="utf-8")
    else:
        sys.stdout.write(converted.yaml())
    for id, why in converted.left_out.items():
        print(f"left out: {id}: {why}", file=sys.stderr)


if __name__ == "__main__":
    main()
