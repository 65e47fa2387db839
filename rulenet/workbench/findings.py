"""Rules that deserve a look according to their statistics, in plain words. Imports the statistics, numpy and scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.stats

from rulenet.base.wording import some
from rulenet.workbench.audit import holm
from rulenet.workbench.stats import RulesetStats, RuleStats

ALPHA = 0.05
FEW = 5  # with fewer firings, "always together with another rule" says little
SENTENCES = {
    "weak": "right less often than guessing, with 95 % confidence; correct or reverse",
    "silent": "never fires on these texts; check the spelling, or whether the rule is still needed",
    "doubled": "never fires without another rule for the same label (in brackets); one of the two may be enough",
    "harmful": "spoils more predictions of the model than it saves (sign test, Holm); correct or drop",
    "idle": "fires, but removing it alone changes no prediction of the model",
}


@dataclass(frozen=True)
class Finding:
    """A group of rules with the same problem."""

    kind: str  # one of `SENTENCES`
    sentence: str  # what the problem is, and what to do
    rules: list[str]  # their ids, in the order of the file
    twins: dict[str, str] = field(default_factory=dict)  # for each doubled rule, the rule that always fires with it

    def named(self, top: int = 5) -> str:
        """List the first few of the rules."""
        return some([f"{name} ({self.twins[name]})" if name in self.twins else name for name in self.rules], top)


def findings(stats: RulesetStats) -> list[Finding]:
    """Find what deserves a look, the most serious first.

    Examples
    --------
    >>> from rulenet.rules.ruleset import RuleSet
    >>> from rulenet.workbench.stats import rule_stats
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: win, label: Sports, word: win}, {id: oil, label: Money, word: oil}]}")
    >>> [(finding.kind, finding.rules) for finding in findings(rule_stats(ruleset, ["They win"]))]
    [('silent', ['oil'])]
    """
    rules = stats.rules
    speaks_for = {rule.id: rule.speaks_for for rule in rules}
    twins = {rule.id: other for rule in rules if (other := _twin(rule, speaks_for)) is not None}
    found = {
        "weak": [r.id for r in rules if r.interval is not None and r.chance is not None and r.interval[1] < r.chance],
        "silent": [r.id for r in rules if r.is_active and not r.fired],
        "doubled": list(twins),
        "harmful": _harmful(rules),
        "idle": [r.id for r in rules if r.worth is not None and r.fired and not r.worth.decides],
    }
    named = {kind: ids for kind, ids in found.items() if ids}
    return [Finding(kind, SENTENCES[kind], ids, twins if kind == "doubled" else {}) for kind, ids in named.items()]


def _twin(rule: RuleStats, speaks_for: Mapping[str, str]) -> str | None:
    """Return a rule for the same label that fires wherever this one does."""
    if rule.fired < FEW:
        return None
    twins = (p.rule for p in rule.partners if p.texts == rule.fired and speaks_for[p.rule] == rule.speaks_for)
    return next(twins, None)


def _harmful(rules: Sequence[RuleStats]) -> list[str]:
    """Return the rules that spoil significantly more predictions than they save."""
    judged = [(r.id, r.worth.saves, r.worth.spoils) for r in rules if r.worth and r.worth.saves is not None]
    saves, spoils = (np.array([row[k] for row in judged], dtype=np.int64) for k in (1, 2))
    p = holm(scipy.stats.binom.cdf(saves, saves + spoils, 0.5))
    return [row[0] for row, small in zip(judged, p <= ALPHA, strict=True) if small]
