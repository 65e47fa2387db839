"""Rules teach: targets for texts without a label, from what the rules say, the labels there are, and which texts are alike.

    votes → those that neighbours share → student over a view of the texts, which sees no rules → odds of the rules → consensus → student …

A view is a dense array with a row for each text, h(x) of an encoder if there is one. The first student learns from the votes that the cut
statistic trusts (Muhlenbach et al. 2004; Zhang et al. 2022): those of texts whose neighbours in the view have the same vote. Each rule
whose author gave no weight gets the one at which it says what the student says, who has seen what else texts have in common. Both
together are the consensus; it is sharpened by class frequency (Xie et al. 2016) and teaches the next student. Texts with labels count 1 in
each step, all guesses together at most `MASS`.

Measured on training rows kept aside, no labels, MiniLM (votes → consensus → φ + ψ that learn from it, without epochs): TREC 47.6 → 65.8 →
67.3, YouTube comments 85.8 → 95.3 → 95.1, AG News with nine rules 64.1 → 84.3 → 85.3, with our pack 86.2 → 88.7 → 89.1, IMDB with our
pack 88.6 → 89.3 → 89.2. φ taught by votes alone, as before: 53.8, 88.9, 77.1, 87.7. Learned weights count half, as the student has seen
the words of the rules: counted in full, the sum is 1 to 2 points below the student with nine AG News rules. Weights that an author gave
stay as they are: learned ones are worse (our AG News pack 88.4 instead of 89.1, IMDB 84 instead of 89).

Poor rules teach less than enough labels do. So from `ENOUGH` labels on, both are compared on these, as rules teach without any label and
as a student of the labels alone answers outside its fold; if the labels are ahead by more than `AHEAD` standard errors, rules do not
teach. Right about the labelled texts, rules | labels: 300 TREC questions 61 | 74, 100 YouTube comments 92 | 86, AG News with nine rules
87 | 85, with our packs 87 to 90 | 65 to 87.

Imports phi_problem, link, numpy, scipy and scikit-learn; no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.neighbors import NearestNeighbors

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import InputError
from rulenet.model.link import Link
from rulenet.model.phi import RuleColumn, rule_cells, starting_weights
from rulenet.model.phi_problem import PhiProblem, folds

# What all guesses together weigh beside labels in a round: 150 and 2,000 were no better on TREC and AG News.
MASS = 600.0
FINAL_MASS, FADING = 3_000.0, 30.0  # what they weigh in the model, and the number of labels at which that is half
VARIANCE = 3.0  # prior variance of the student's weights; 1 was worse for TREC
NEIGHBOURS = 10
MOST = 20_000  # texts whose neighbours are looked for
SHARED = 0.5  # what a learned weight counts beside the student
JUDGES = 0.1  # share of the texts with a vote that no student learns from
ENOUGH, AHEAD, FOLDS = 80, 1.0, 5


@dataclass(frozen=True)
class Lesson:
    """What rules have taught."""

    targets: Array  # (n_texts, n_classes): labels as given, and a guess for every other text, of less weight
    report: dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """Rules as teachers: their columns of X, their weights, and which of these their authors gave."""

    R: Any  # (n_texts, n_rules), sparse
    columns: Sequence[RuleColumn]
    is_given: Array  # of each of `columns`

    def said(self, weights: Array) -> Array:
        """The sum of the weights of the rules that fire, (n_texts, n_classes)."""
        return np.asarray(self.R @ weights)

    def weights(self, n_classes: int) -> Array:
        """Authors' weights, (n_rules, n_classes)."""
        return starting_weights(self.columns, self.R.shape[1], n_classes)

    def odds(self, rows: Array, Y: Array, link: Link) -> Array:
        """Weights as their authors gave them, or else as targets of some texts say, which count `SHARED`."""
        weights = self.weights(Y.shape[1])
        if self.is_given.all():
            return weights
        fixed = zip(self.columns, self.is_given.tolist(), strict=True)
        pinned = [replace(rule, lower=rule.prior, upper=rule.prior) if given else rule for rule, given in fixed]
        *cells, n_rules = rule_cells(self.columns)
        learned = PhiProblem(pinned, link=link).solve(self.R[rows, :n_rules], Y).coef[tuple(cells)]
        weights[tuple(cells)] = np.where(self.is_given, learned, SHARED * learned)
        return weights


def teach(
    rules: Rules, view: Array, Y: Array, classes: Sequence[str], link: Link, *, rounds: int, trusted: float, seed: int
) -> Lesson | None:
    """Targets for all texts; None if there are labels but no rule says anything about the other texts.

    Parameters
    ----------
    view
        What the student sees of the texts, (n_texts, d).
    Y
        Given targets, (n_texts, n_classes); zeros where nothing is known.
    rounds
        Students after the first.
    trusted
        Share of the votes for each class that the first student learns from.

    Raises
    ------
    InputError
        If no text has a label, and no rule fires or all that fire speak for one label.
    """
    rng, given = np.random.default_rng(seed), link.mass(Y) > 0
    labelled, free = np.flatnonzero(given), np.flatnonzero(~given)
    votes = rules.said(rules.weights(Y.shape[1]))
    fires = np.asarray(rules.R.sum(axis=1)).ravel() > 0
    voted = free[(fires & (link.lead(votes) > 1e-9))[free]]
    answers = link.answer(votes)
    if (reason := _nothing_said(answers[voted], len(view), classes)) is not None:
        if len(labelled):
            return None
        raise InputError(reason)

    judges = np.sort(rng.permutation(voted)[: int(JUDGES * len(voted))])
    rows = np.setdiff1d(voted, judges)
    rows = _trusted(view, rows, answers[rows], trusted, rng)
    report: dict[str, Any] = {"covered": int(fires[free].sum()), "voted": len(voted), "trusted": len(rows)}
    guesses, firing = link.proba(votes), free[fires[free]]
    agreement = []
    for _ in range(rounds + 1):
        learned_from = np.concatenate([labelled, rows])
        student = student_logits(view, learned_from, _with_mass(Y[labelled], guesses[rows]), link)
        on_firing = _with_mass(Y[labelled], link.proba(student[firing]))
        logits = student + rules.said(rules.odds(np.concatenate([labelled, firing]), on_firing, link))
        agreement.append(float((link.answer(student[judges]) == answers[judges]).mean()) if len(judges) else None)
        guesses[free] = sharpened(link.proba(logits[free]))
        rows = np.setdiff1d(free, judges)
    mass = min(1.0, FINAL_MASS / (1 + len(labelled) / FADING) / len(free))
    targets = Y.copy()
    targets[free] = mass * guesses[free]
    advice = _advice(logits[free], ~fires[free], classes, link)
    return Lesson(targets, report | {"agreement": agreement, "mass": mass} | advice)


def compared(
    rules: Rules, view: Array, Y: Array, classes: Sequence[str], link: Link, *, rounds: int, trusted: float, seed: int
) -> dict[str, Any]:
    """How often rules that teach without labels, and a student of the labels alone, are right about the labelled texts.

    The parameters are those of `teach`. Says also whether the labels are so far `ahead` that rules should not teach; empty if there are
    too few labels to tell, or rules say nothing.

    Examples
    --------
    >>> from rulenet.model.link import ONE_OF
    >>> rules = Rules(scipy.sparse.csr_matrix((40, 1)), [RuleColumn(0)], np.array([False]))
    >>> compared(rules, np.zeros((40, 2)), np.eye(2)[[0, 1] * 20], ["a", "b"], ONE_OF, rounds=0, trusted=1.0, seed=0)
    {}
    """
    labelled = np.flatnonzero(link.mass(Y) > 0)
    if len(labelled) < ENOUGH:
        return {}
    try:
        lesson = teach(rules, view, np.zeros_like(Y), classes, link, rounds=rounds, trusted=trusted, seed=seed)
    except InputError:  # rules say nothing, or all the same
        lesson = None
    if lesson is None:
        return {}
    H, target, student = view[labelled], Y[labelled], np.zeros((len(labelled), Y.shape[1]))
    for train, test in folds(link.strata(target), FOLDS, seed):
        student[test] = student_logits(H, train, target[train], link)[test]
    y = link.right(target)
    of_rules, of_labels = (link.answer(said) == y for said in (lesson.targets[labelled], student))
    gain = of_labels.astype(float) - of_rules
    ahead = float(gain.mean()) > AHEAD * float(gain.std()) / len(y) ** 0.5
    return {"texts": len(y), "rules": float(of_rules.mean()), "labels": float(of_labels.mean()), "ahead": ahead}


def given_weights(rules: Sequence[Any]) -> Array:
    """For each weight of each rule, in the order of `rulenet.model.phi.rule_columns`, whether its author gave it."""
    stated = [
        rule.pin or any(value is not None for value in (rule.weight, rule.confidence, rule.labels)) for rule in rules
    ]
    return np.array([given for rule, given in zip(rules, stated, strict=True) for _ in rule.evidence], dtype=bool)


def lesson_line(report: dict[str, Any]) -> str:
    """What rules taught, in one sentence.

    Examples
    --------
    >>> lesson_line({"covered": 90, "voted": 80, "trusted": 60, "agreement": [0.9, 0.95], "doubt": 0.1})
    'rules vote on 80 texts without a label, 60 votes were trusted; votes not learned from are shared by 90 %, then 95 %'
    """
    shared = [f"{share:.0%}".replace("%", " %") for share in report["agreement"] if share is not None]
    votes = f"rules vote on {counted(report['voted'], 'text')} without a label, {counted(report['trusted'], 'vote')} were trusted"
    return f"{votes}; votes not learned from are shared by {', then '.join(shared)}" if shared else votes


def compared_line(report: dict[str, Any]) -> str:
    """Why rules do not teach, in one sentence.

    Examples
    --------
    >>> compared_line({"texts": 255, "rules": 0.61, "labels": 0.74, "ahead": True})
    'rules do not teach: of 255 labelled texts, they are right about 61 % without labels, and labels without rules about 74 %'
    """
    rules, labels = (f"{100 * report[which]:.0f} %" for which in ("rules", "labels"))
    texts = counted(report["texts"], "labelled text")
    return f"rules do not teach: of {texts}, they are right about {rules} without labels, and labels without rules about {labels}"


def _nothing_said(answers: Array, n_texts: int, classes: Sequence[str]) -> str | None:
    """Why the votes cannot teach, if they cannot."""
    texts = counted(n_texts, "text")
    if not len(answers):
        what = f"no rule fires on any of {texts}, or those that fire say as much for one label as for another"
        return f"there is nothing to learn from: no text has a label, and {what}"
    if len(found := np.unique(answers)) == 1:
        return (
            f"the rules that fire on {texts} all speak for {classes[found[0]]!r}, so nothing tells it from other labels: add rules for "
            "another label, or label some texts"
        )
    return None


def _trusted(view: Array, rows: Array, answers: Array, share: float, rng: np.random.Generator) -> Array:
    """Of each class, the share of the rows whose neighbours say otherwise least: the cut statistic.

    Of n neighbours that say otherwise with the probability that other classes have, a row has J; it is ordered by (J − μ) / σ.
    """
    if len(rows) > MOST:
        chosen = np.sort(rng.permutation(len(rows))[:MOST])
        rows, answers = rows[chosen], answers[chosen]
    if share == 1.0 or len(rows) <= NEIGHBOURS:
        return rows
    unit = view[rows] / np.maximum(np.linalg.norm(view[rows], axis=1, keepdims=True), 1e-9)
    near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(unit).kneighbors(unit, return_distance=False)
    is_other = near != np.arange(len(rows))[:, None]  # of equal texts, any may come first
    cut = ((answers[near] != answers[:, None]) & is_other).sum(axis=1)
    prior = np.bincount(answers, minlength=answers.max() + 1)[answers] / len(answers)
    z = (cut - NEIGHBOURS * (1 - prior)) / np.sqrt(np.maximum(NEIGHBOURS * prior * (1 - prior), 1e-9))
    kept = []
    for k in np.unique(answers):
        own = np.flatnonzero(answers == k)
        kept.append(own[np.argsort(z[own], kind="stable")[: int(np.ceil(share * len(own)))]])
    return rows[np.sort(np.concatenate(kept))]


def student_logits(view: Array, rows: Array, Y: Array, link: Link) -> Array:
    """Logits of all texts by a linear model over the view, from targets of some."""
    centre = view[rows].mean(axis=0)
    spread = float(np.sqrt(((view[rows] - centre) ** 2).sum(axis=1).mean())) or 1.0
    H = ((view - centre) / spread).astype(np.float32)
    nothing = scipy.sparse.csr_matrix((len(rows), 0), dtype=np.float32)
    weights, head = PhiProblem(head_variance=VARIANCE, link=link).solve_with(nothing, H[rows], Y)
    return np.asarray(H @ head + weights.bias, dtype=np.float64)


def _with_mass(given: Array, guesses: Array) -> Array:
    """Given targets, and guesses that together weigh at most `MASS`."""
    return np.vstack([given, min(1.0, MASS / max(1, len(guesses))) * guesses])


def sharpened(proba: Array) -> Array:
    """Guesses that are surer, and of frequent classes fewer: p² over the frequency of the class."""
    target = proba**2 / np.maximum(proba.sum(axis=0), 1e-9)
    return np.asarray(target / target.sum(axis=1, keepdims=True))


def _advice(logits: Array, is_silent: Array, classes: Sequence[str], link: Link) -> dict[str, Any]:
    """Where the guesses are expected to be wrong, and what would help there: more rules, where none fires, or else labels."""
    proba = link.proba(logits)
    doubt = 1 - proba.max(axis=1)
    about = classes[int((proba * doubt[:, None]).sum(axis=0).argmax())]
    where, share = float(doubt[is_silent].sum() / max(doubt.sum(), 1e-9)), float(is_silent.mean())
    if where > 0.5:
        advice = f"more rules would help most: none fires on {share:.0%} of the texts, which have most of the doubt, mainly about {about!r}"
    else:
        advice = f"labels would help most: most doubt is where rules fire, mainly about {about!r}; `rulenet suggest-labels` finds the texts"
    return {"doubt": float(doubt.mean()), "doubt_without_rule": where, "advice": advice}
