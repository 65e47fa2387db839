"""Rules that deserve a look according to their statistics, in plain words. Imports the statistics, numpy and scipy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.stats

from rulenet.base.wording import some
from rulenet.workbench.audit import holm
from rulenet.workbench.stats import RulesetStats, RuleStats

ALPHA = 0.05
FEW = 5  # with fewer firings, "always together with another rule" says little


@dataclass(frozen=True)
class Finding:
    """A group of rules with the same problem.

    Attributes
    ----------
    kind
        ``"silent"``, ``"weak"``, ``"doubled"``, ``"harmful"`` or ``"idle"``.
    sentence
        What the problem is, and what to do.
    rules
        Ids of the rules, in the order of the file.
    twins
        For each doubled rule, the id of the rule that always fires with it.
    """

    kind: str
    sentence: str
    rules: list[str]
    twins: dict[str, str] = field(default_factory=dict)

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
    speaks_for = {rule.id: rule.speaks_for for rule in stats.rules}
    twins = {rule.id: other for rule in stats.rules if (other := _twin(rule, speaks_for)) is not None}
    harmful = _harmful(stats.rules)
    kinds: dict[str, tuple[str, Callable[[RuleStats], bool]]] = {
        "weak": ("right less often than guessing, with 95 % confidence; correct or reverse", _is_weak),
        "silent": ("never fires on these texts; check the spelling, or whether the rule is still needed", _is_silent),
        "doubled": (
            "never fires without another rule for the same label (in brackets); one of the two may be enough",
            lambda rule: rule.id in twins,
        ),
        "harmful": (
            "spoils more predictions of the model than it saves (sign test, Holm); correct or drop",
            lambda rule: rule.id in harmful,
        ),
        "idle": ("fires, but removing it alone changes no prediction of the model", _is_idle),
    }
    found = [
        Finding(kind, sentence, [rule.id for rule in stats.rules if applies(rule)])
        for kind, (sentence, applies) in kinds.items()
    ]
    return [replace(f, twins=twins) if f.kind == "doubled" else f for f in found if f.rules]


def _is_silent(rule: RuleStats) -> bool:
    return rule.is_active and not rule.fired


def _is_weak(rule: RuleStats) -> bool:
    return rule.interval is not None and rule.chance is not None and rule.interval[1] < rule.chance


def _is_idle(rule: RuleStats) -> bool:
    return rule.worth is not None and rule.fired > 0 and not rule.worth.decides


def _twin(rule: RuleStats, speaks_for: Mapping[str, str]) -> str | None:
    """Return a rule for the same label that fires wherever this one does."""
    if rule.fired < FEW:
        return None
    twins = (p.rule for p in rule.partners if p.texts == rule.fired and speaks_for[p.rule] == rule.speaks_for)
    return next(twins, None)


def _harmful(rules: Sequence[RuleStats]) -> set[str]:
    """Return the rules that spoil significantly more predictions than they save."""
    judged = [(r.id, r.worth.saves, r.worth.spoils) for r in rules if r.worth and r.worth.saves is not None]
    saves, spoils = (np.array([row[k] for row in judged], dtype=np.int64) for k in (1, 2))
    p = holm(scipy.stats.binom.cdf(saves, saves + spoils, 0.5))
    return {row[0] for row, small in zip(judged, p <= ALPHA, strict=True) if small}
