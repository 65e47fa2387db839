"""Drift: whether rules still do what they did on the texts they were written or trained on. Imports the manifest and the statistics.

Each rule gets two exact tests: does it fire as often as before (two-sided), and is it right as often when it fires (one-sided)? All
p-values are adjusted together by Holm's method, which is valid however much rules overlap: if nothing has changed, the probability
of any alarm is at most 0.05, for 20 rules as for 2,000. A rule is flagged if the test is significant and the change is also large.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError, model_validator

from rulenet.base.wording import counted, some
from rulenet.errors import DataError
from rulenet.store.manifest import read_config
from rulenet.workbench import audit
from rulenet.workbench.stats import RulesetStats

ALPHA = 0.05
RATIO = 2.0  # firing twice or half as often is a large change
DROP = 0.05  # losing five points of precision is a large change
MAX_BYTES = 500_000_000
CREATE = "Create a baseline with: rulenet rules stats … --json > baseline.json"


class Tally(BaseModel):
    """How often a rule fired and was right; None without labels."""

    fired: int = Field(ge=0)
    right: int | None = Field(default=None, ge=0)

    @property
    def precision(self) -> float | None:
        """Share of its firings that are right; None without labels or firings."""
        return None if self.right is None or not self.fired else self.right / self.fired


class Baseline(BaseModel):
    """What rules did on earlier texts."""

    texts: int = Field(ge=1)
    rules: dict[str, Tally]  # by id
    fingerprint: str = ""  # of the ruleset at that time

    @model_validator(mode="after")
    def _counts_agree(self) -> Baseline:
        for name, tally in self.rules.items():
            if tally.fired > self.texts or (tally.right or 0) > tally.fired:
                raise ValueError(f"rule {name!r} has more firings than texts, or more correct firings than firings")
        return self


@dataclass(frozen=True)
class RuleDrift:
    """A rule before and now; the p-values are adjusted for the number of tests."""

    id: str
    flags: list[str]  # what has changed: "died" (no longer fires), "faded", "exploded", "lost precision"
    before: float  # share of the texts on which it fires
    now: float
    p_rate: float  # of the difference in firing
    precision_before: float | None  # share of its firings that are right; None without labels or firings
    precision_now: float | None
    p_precision: float | None  # of the loss of precision; None if precision cannot be compared

    @property
    def p(self) -> float:
        """The smaller of the two p-values."""
        return min(self.p_rate, 1.0 if self.p_precision is None else self.p_precision)


@dataclass(frozen=True)
class Drift:
    """The changes since a baseline.

    Attributes
    ----------
    texts_before, texts_now
        Numbers of texts.
    tests
        Number of tests that the p-values are adjusted for.
    rules
        Every rule that was compared, in the order of the file.
    added, gone
        Rules that are only in the file, or only in the baseline.
    switched_off
        Rules that were not compared because they are disabled or outside their dates.
    too_rare
        Number of rules that fired so rarely before that, with so few texts now, not firing at all would not be significant.
    notes
        What could not be compared, and why.
    """

    texts_before: int
    texts_now: int
    tests: int
    rules: list[RuleDrift]
    added: list[str]
    gone: list[str]
    switched_off: list[str]
    too_rare: int
    notes: list[str]

    @property
    def flagged(self) -> list[RuleDrift]:
        """The rules that have changed, the most significant first."""
        return sorted((rule for rule in self.rules if rule.flags), key=lambda rule: rule.p)

    def remarks(self) -> list[str]:
        """Return what was not compared, in words."""
        groups = {
            "not in the baseline": self.added,
            "of the baseline no longer in the file": self.gone,
            "not compared (disabled or outside their dates)": self.switched_off,
        }
        lines = [f"{counted(len(names), 'rule')} {what}: {some(names)}" for what, names in groups.items() if names]
        if self.too_rare:
            few = f"{counted(self.texts_now, 'text is', 'texts are')} too few to see whether they died"
            lines.append(f"{counted(self.too_rare, 'rule')} fired so rarely before that {few}")
        return [*lines, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**asdict(self), "alpha": ALPHA, "flagged": [rule.id for rule in self.flagged]}


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read what rules did when a model was trained, or when ``rulenet rules stats --json`` was run.

    Parameters
    ----------
    path
        A model folder, or a JSON file.

    Raises
    ------
    DataError, ModelFileError
        If it is neither, or has no counts.
    """
    path = Path(path)
    if path.is_dir():
        found = read_config(path).report.get("rule_tally")
        if not found:
            raise DataError(
                f"{path}: the model has no counts of its rules: it has no rules, or was saved by an older version. "
                "Train it again, or compare with a JSON file of `rulenet rules stats --json`"
            )
        return _validated(found, path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path} is not a baseline: it is larger than {MAX_BYTES:,} bytes")
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Name a model folder, or a JSON file of `rulenet rules stats --json`"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({error}). {CREATE}") from None
    if not isinstance(data, dict) or data.get("rulenet_stats") != 1 or not isinstance(data.get("rules"), list):
        raise DataError(f"{path} is not a baseline. {CREATE}")
    rules = {rule.get("id"): rule for rule in data["rules"] if isinstance(rule, dict)}
    return _validated({**data, "rules": rules}, path)


def _validated(data: Any, path: Path) -> Baseline:
    try:
        return Baseline.model_validate(data)
    except ValidationError as error:
        faults = [(".".join(map(str, fault["loc"])) or "counts", fault["msg"]) for fault in error.errors()[:5]]
        listed = "; ".join(f"{place}: {message}" for place, message in faults)
        raise DataError(f"{path} was edited by hand or is damaged: {listed}") from None


def compare(stats: RulesetStats, baseline: Baseline) -> Drift:
    """Find what has changed since the baseline.

    Examples
    --------
    >>> from rulenet.workbench.stats import rule_stats
    >>> from rulenet.rules.ruleset import RuleSet
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: win, label: Sports, word: win}, {id: oil, label: Money, word: oil}]}")
    >>> stats = rule_stats(ruleset, ["They win"] * 50 + ["They lost"] * 50)
    >>> before = Baseline(texts=100, rules={"win": Tally(fired=50), "oil": Tally(fired=20)})
    >>> [(rule.id, rule.flags) for rule in compare(stats, before).flagged]
    [('oil', ['died'])]
    """
    known = [rule for rule in stats.rules if rule.id in baseline.rules]
    compared = [rule for rule in known if rule.is_active]
    then = [baseline.rules[rule.id] for rule in compared]
    n0, n1 = baseline.texts, stats.n_texts
    fired0, fired1 = (np.array([side.fired for side in sides], dtype=np.int64) for sides in (then, compared))
    few, many = audit.same_share(fired0, n0, fired1, n1)
    rate = np.minimum(2 * np.minimum(few, many), 1.0)
    both = [t.precision is not None and r.precision is not None for t, r in zip(then, compared, strict=True)]
    has_both = np.flatnonzero(both).tolist()
    right0, right1 = (np.array([side[j].right or 0 for j in has_both], dtype=np.int64) for side in (then, compared))
    fall, _ = audit.same_share(right0, fired0[has_both], right1, fired1[has_both])
    adjusted = audit.holm(np.concatenate([rate, fall]))
    p_precision = dict(zip(has_both, adjusted[len(compared) :].tolist(), strict=True))
    rows = []
    for j, (t, rule, p) in enumerate(zip(then, compared, adjusted.tolist(), strict=False)):
        before, now, earlier = t.fired / n0, rule.coverage, t.precision
        flags = _rate_flags(before, now) if p <= ALPHA else []
        if p_precision.get(j, 1.0) <= ALPHA and earlier is not None and earlier - (rule.precision or 0.0) >= DROP:
            flags = [*flags, "lost precision"]
        rows.append(RuleDrift(rule.id, flags, before, now, p, earlier, rule.precision, p_precision.get(j)))
    none_at_all = np.minimum(2 * audit.same_share(fired0, n0, np.zeros_like(fired0), n1)[0], 1.0)
    return Drift(
        n0,
        n1,
        len(adjusted),
        rows,
        added=[rule.id for rule in stats.rules if rule.id not in baseline.rules],
        gone=sorted(set(baseline.rules) - {rule.id for rule in stats.rules}),
        switched_off=[rule.id for rule in known if not rule.is_active],
        too_rare=int(((none_at_all * max(len(adjusted), 1) > ALPHA) & (fired0 > 0)).sum()),
        notes=_notes(stats, baseline, then),
    )


def _rate_flags(before: float, now: float) -> list[str]:
    if not now:
        return ["died"] if before else []
    if now >= RATIO * before:
        return ["exploded"]
    return ["faded"] if now <= before / RATIO else []


def _notes(stats: RulesetStats, baseline: Baseline, then: Sequence[Tally]) -> list[str]:
    notes = []
    if stats.labels is None:
        notes.append("these texts have no labels, so precision is not compared")
    elif then and all(tally.right is None for tally in then):
        notes.append("the baseline has no labels, so precision is not compared")
    if baseline.fingerprint and baseline.fingerprint != stats.fingerprint:
        notes.append("the rule file has changed since the baseline: a rule may differ because it was edited")
    return notes
