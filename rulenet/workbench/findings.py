"""What in the statistics of rules deserves a look, in plain words. Imports the statistics, numpy and scipy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.stats

from rulenet.base.wording import some
from rulenet.workbench.audit import holm
from rulenet.workbench.stats import RulesetStats, RuleStats

ALPHA = 0.05
FEW = 5  # firings; of fewer, "always beside another rule" says little


@dataclass(frozen=True)
class Finding:
    """Some rules, and what is odd about them.

    Attributes
    ----------
    kind
        ``"silent"``, ``"weak"``, ``"doubled"``, ``"harmful"`` or ``"idle"``.
    sentence
        What that means, and what to do.
    rules
        Their ids, in the order of the file.
    beside
        For doubled rules the id of the other one.
    """

    kind: str
    sentence: str
    rules: list[str]
    beside: dict[str, str] = field(default_factory=dict)

    def named(self, top: int = 5) -> str:
        """The first few of the rules."""
        return some([f"{name} ({self.beside[name]})" if name in self.beside else name for name in self.rules], top)


def findings(stats: RulesetStats) -> list[Finding]:
    """What deserves a look, the gravest first; nothing that is not there.

    Examples
    --------
    >>> from rulenet.rules.ruleset import RuleSet
    >>> from rulenet.workbench.stats import rule_stats
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: win, label: Sports, word: win}, {id: oil, label: Money, word: oil}]}")
    >>> [(finding.kind, finding.rules) for finding in findings(rule_stats(ruleset, ["They win"]))]
    [('silent', ['oil'])]
    """
    speaks_for = {rule.id: rule.speaks_for for rule in stats.rules}
    beside = {rule.id: other for rule in stats.rules if (other := _twin(rule, speaks_for)) is not None}
    harmful = _harmful(stats.rules)
    kinds: list[tuple[str, str, Callable[[RuleStats], bool]]] = [
        ("weak", "right less often than a guess would be, with 95 % confidence; mend, or turn round", _is_weak),
        ("silent", "no firing on these texts; check the spelling, or whether the rule is still needed", _is_silent),
        ("doubled", "no firing without another rule for the same label (in brackets); one of the two may do", lambda r: r.id in beside),
        ("harmful", "more answers of the model spoilt than saved (sign test, Holm); mend or drop", lambda r: r.id in harmful),
        ("idle", "fires, but changes no answer of the model, which would do as well without any one of these", _is_idle),
    ]  # fmt: skip
    found = [Finding(kind, what, [rule.id for rule in stats.rules if holds(rule)]) for kind, what, holds in kinds]
    return [replace(f, beside=beside) if f.kind == "doubled" else f for f in found if f.rules]


def _is_silent(rule: RuleStats) -> bool:
    return rule.is_active and not rule.fired


def _is_weak(rule: RuleStats) -> bool:
    return rule.interval is not None and rule.chance is not None and rule.interval[1] < rule.chance


def _is_idle(rule: RuleStats) -> bool:
    return rule.worth is not None and rule.fired > 0 and not rule.worth.decides


def _twin(rule: RuleStats, speaks_for: Mapping[str, str]) -> str | None:
    """A rule for the same label that fires wherever this one does."""
    if rule.fired < FEW:
        return None
    twins = (p.rule for p in rule.partners if p.texts == rule.fired and speaks_for[p.rule] == rule.speaks_for)
    return next(twins, None)


def _harmful(rules: Sequence[RuleStats]) -> set[str]:
    """Rules that spoil significantly more answers than they save."""
    judged = [(r.id, r.worth.saves, r.worth.spoils) for r in rules if r.worth and r.worth.saves is not None]
    saves, spoils = (np.array([row[k] for row in judged], dtype=np.int64) for k in (1, 2))
    p = holm(scipy.stats.binom.cdf(saves, saves + spoils, 0.5))
    return {row[0] for row, small in zip(judged, p <= ALPHA, strict=True) if small}
