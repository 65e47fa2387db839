"""Advice on which present rules to drop, tighten or merge. Imports rules, the model and parts.

The weights are those that the rules would learn without any other part of a model, so the advice is about the rule file and not about
one model. Weights and words are found on some texts and judged on others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rulenet.base.types import Array
from rulenet.model.link import ONE_OF
from rulenet.rules.engine.tally import right_labels
from rulenet.rules.writing.compose import field_lines
from rulenet.text.language import Language
from rulenet.workbench.mine.candidates import words
from rulenet.workbench.mine.terms import Terms
from rulenet.workbench.suggest.drafts import as_ruleset
from rulenet.workbench.suggest.parts import Base, Parts
from rulenet.workbench.suggest.selection import likelihood_change

MIN_FIRES = 20  # least number of firings before a rule's precision is criticised
LOOSE = 0.8  # below this precision, an exception is searched for
MAX_WORDS = 3  # words in one exception
SAME = 0.8  # from this Jaccard overlap on, two rules should be merged
INSIDE = 0.95  # if another rule fires on this share of a rule's texts, it covers the rule


@dataclass(frozen=True)
class Advice:
    """A proposed change to a present rule, judged on some texts."""

    kind: str  # "drop", "tighten" or "merge"
    rule: str
    other: str | None  # the rule to merge with
    reason: str  # in one sentence
    fires: int
    precision: float | None  # None if the rule never fires
    precision_after: float | None = None  # of a tightened rule
    yaml: str | None = None  # to paste into the rule


def advise(base: Base, parts: Parts, texts: Sequence[str], terms: Terms, language: Language) -> list[Advice]:
    """Give advice on the present rules, at most one piece for each; `terms` are the words and phrases of the mined rows."""
    found = {advice.rule: advice for advice in _drops(base, parts)}
    gone = set(found)
    for advice in (*_merges(base), *_exceptions(base, parts, texts, terms, language)):
        if advice.other not in gone:  # no rule should be merged with one that should be dropped
            found.setdefault(advice.rule, advice)
    return list(found.values())


def _drops(base: Base, parts: Parts) -> Iterator[Advice]:
    coef, logits = base.weights(parts.learned)
    R = base.R.tocsc()
    held = R[parts.held_out]
    P, y = ONE_OF.proba(logits[parts.held_out]), base.y[parts.held_out]
    right, share = right_labels(base.ruleset.rules, base.names), base.Y.mean(axis=0)
    for i, rule in enumerate(base.ruleset.rules):
        rows = held.indices[held.indptr[i] : held.indptr[i + 1]]
        everywhere = R.indices[R.indptr[i] : R.indptr[i + 1]]
        precision = float(right[i, base.y[everywhere]].mean()) if len(everywhere) else None
        reason = None
        if precision is None:
            reason = f"it fires on none of the {len(base.y):,} texts"
        elif len(everywhere) >= MIN_FIRES and precision < float(share[right[i]].sum()) and not rule.pin:
            reason = f"it is right on {precision:.0%} of its texts, but guessing would be right on {share[right[i]].sum():.0%}"
        elif not np.any(np.abs(coef[i]) > 0.02) and not rule.pin:
            reason = "next to the other rules it learns the weight 0"
        elif len(rows) and np.count_nonzero(coef[i]) == 1:
            k = int(np.flatnonzero(coef[i])[0])
            # The effect of removing the rule on the texts it fires on, with other weights unchanged.
            change = likelihood_change(y[rows] == k, P[rows, k], -float(coef[i, k]))
            if change.sum() > 2 * float(np.sqrt((change**2).sum())):
                reason = f"predictions of the held-out texts are better without it (log-loss −{change.sum():.1f})"
        if reason is not None:
            yield Advice("drop", rule.id, None, reason, len(everywhere), precision)


def _merges(base: Base) -> Iterator[Advice]:
    R = base.R.astype(np.float64)
    fires = np.asarray(R.sum(axis=0)).ravel()
    together = (R.T @ R).tocoo()
    columns = R.tocsc()
    right = right_labels(base.ruleset.rules, base.names)
    rules = base.ruleset.rules
    for i, j, both in sorted(zip(together.row.tolist(), together.col.tolist(), together.data.tolist(), strict=True)):
        if (
            i == j
            or fires[i] < MIN_FIRES
            or rules[i].evidence.keys() != rules[j].evidence.keys()
            or (right[i] != right[j]).any()
        ):
            continue
        precision = float(right[i, base.y[columns.indices[columns.indptr[i] : columns.indptr[i + 1]]]].mean())
        if both >= SAME * (fires[i] + fires[j] - both):
            if i < j:
                reason = f"both fire on {both:,.0f} of the {fires[i] + fires[j] - both:,.0f} texts on which at least one fires"
                yield Advice("merge", rules[i].id, rules[j].id, reason, int(fires[i]), precision)
        elif both >= INSIDE * fires[i] and fires[j] > fires[i]:
            reason = f"'{rules[j].id}' fires on {both:,.0f} of its {fires[i]:,.0f} texts as well"
            yield Advice("merge", rules[i].id, rules[j].id, reason, int(fires[i]), precision)


def _exceptions(base: Base, parts: Parts, texts: Sequence[str], terms: Terms, language: Language) -> Iterator[Advice]:
    """Yield exceptions: words in many texts on which a rule is wrong, found on the mined rows and judged on all others."""
    right = right_labels(base.ruleset.rules, base.names)
    mined = base.R[parts.mined].tocsc()
    proposed: dict[int, list[str]] = {}
    for i, rule in enumerate(base.ruleset.rules):
        rows = mined.indices[mined.indptr[i] : mined.indptr[i + 1]]
        is_right = right[i, base.y[parts.mined[rows]]]
        is_loose = rule.sign == "for" and len(rows) >= MIN_FIRES and is_right.mean() < LOOSE
        if is_loose and (chosen := _words_of_the_wrong(terms, rows, is_right)):
            proposed[i] = chosen
    if not proposed:
        return
    drafts = [{"id": f"c{i}", "label": base.names[0], **words(chosen)} for i, chosen in proposed.items()]
    judging = np.sort(np.concatenate([parts.chosen, parts.held_out]))
    denied = as_ruleset(drafts, base.ruleset, language).match([texts[row] for row in judging], language=language)
    for column, (i, chosen) in enumerate(proposed.items()):
        fires = base.R[judging][:, [i]].toarray().ravel() > 0
        gone = fires & (denied[:, [column]].toarray().ravel() > 0)
        is_right = right[i, base.y[judging]]
        wrong, wrong_gone, right_gone = (fires & ~is_right).sum(), (gone & ~is_right).sum(), (gone & is_right).sum()
        kept, is_costly = fires & ~gone, right_gone > 0.34 * (right_gone + wrong_gone)
        if not kept.any() or wrong_gone < max(3, 0.15 * wrong) or is_costly:
            continue
        before, after = is_right[fires].mean(), is_right[kept].mean()
        n_right = (fires & is_right).sum()
        reason = f"{', '.join(chosen)}: in {wrong_gone} of its {wrong} wrong firings, and in {right_gone} of its {n_right} correct ones"
        yaml = "\n".join(field_lines("unless", [words(chosen)], 4))  # indented like the fields of a rule
        yield Advice("tighten", base.ruleset.ids[i], None, reason, int(fires.sum()), float(before), float(after), yaml)


def _words_of_the_wrong(terms: Terms, rows: Array, is_right: Array) -> list[str]:
    """Return up to three terms that occur in several wrong firings and hardly any correct one, each adding to those before it."""
    D = terms.D[rows]
    left = np.ones(len(rows), dtype=bool)
    chosen: list[str] = []
    while len(chosen) < MAX_WORDS:
        wrong = np.asarray(D[left & ~is_right].sum(axis=0)).ravel()
        kept = np.asarray(D[left & is_right].sum(axis=0)).ravel()
        worth = np.where(wrong >= 4 * np.maximum(kept, 0.5), wrong - 2 * kept, 0)
        if worth.max(initial=0) < 3:
            break
        j = int(worth.argmax())
        chosen.append(terms.names[j])
        left &= D[:, [j]].toarray().ravel() == 0
    return chosen
