"""Which texts to label next: those that a model or rules are in doubt about, that stand for many others, and differ. Imports `covering`.

The doubt about a text is that its two likeliest labels are close, or that its rules contradict each other; `covering` spreads the choice.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.base.wording import counted, percent, some
from rulenet.data.check import check_texts
from rulenet.errors import InputError, ParameterError
from rulenet.model.device import choose_device
from rulenet.model.link import ONE_OF
from rulenet.predictor import BLOCK, Predictor
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, declared_or_detected, detect_language
from rulenet.workbench.covering import choose, likeness, reader_of
from rulenet.workbench.flips import starting_weights
from rulenet.workbench.suggest.parts import kind_of

POOL = 4000  # texts compared with each other: 64 MB; of more, those most in doubt are the likeliest to be taken
MOST = POOL // 2  # texts to label at a time
CLOSE = 0.3  # lead of the likeliest label below which the answer is called unsure
FAR = 0.25  # share of the texts that are called unlike what is labelled
_TINY = 1e-9


@dataclass(frozen=True)
class ToLabel:
    """A text that is worth a label.

    Attributes
    ----------
    index
        Its place among the texts.
    text
        As it was given.
    label, probability
        The likeliest label; None where rules alone are asked and none fires.
    runner_up, runner_up_probability
        The next likely one.
    why
        Why it was chosen, in words.
    rules
        Ids of the rules that fire.
    """

    index: int
    text: str
    label: Any
    probability: float
    runner_up: Any
    runner_up_probability: float
    why: str
    rules: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Beliefs:
    """What a model or rules say about some texts."""

    labels: list[Any]
    proba: Array  # (n_texts, n_classes)
    R: scipy.sparse.csr_matrix  # which rules fire, (n_texts, n_rules)
    ids: list[str]  # of the rules
    pull: Array  # what a firing adds in favour of each label, (n_rules, n_classes)
    is_known: Array  # whether anything is known about the text, (n_texts,)
    by_rules: bool  # whether rules alone say it

    def doubt(self) -> Array:
        """1 − (1 − u)(1 − c), (n_texts,): u is 1 − the lead of the likeliest label, c the share of the rules' votes for other labels."""
        votes = self.R @ self.pull  # (n_texts, n_classes)
        contested = 1 - votes.max(axis=1) / np.maximum(votes.sum(axis=1), _TINY)
        lead = ONE_OF.lead(self.proba)
        return np.asarray(1 - lead * (1 - np.where(votes.any(axis=1), contested, 0.0)))

    def take(self, rows: Array) -> Beliefs:
        """The same about some of the texts."""
        return replace(self, proba=self.proba[rows], R=self.R[rows], is_known=self.is_known[rows])

    def fired(self, j: int) -> list[str]:
        """Ids of the rules that fire on a text."""
        return [self.ids[i] for i in sorted(self.R[j].indices.tolist())]


def suggest_labels(
    source: Predictor | RuleSet,
    texts: Sequence[str],
    n: int = 50,
    *,
    labeled: Sequence[str] = (),
    encoder: str | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> list[ToLabel]:
    """The texts whose labels would teach most, the first the most.

    Of texts that differ only in case, punctuation or numbers one is chosen at most. The choice is the same each time.

    Parameters
    ----------
    source
        A fitted model, `clf.predictor_`; or rules alone, to begin with.
    texts
        Texts without labels. Of more than 4,000 different ones, 4,000 are compared with each other: the more in doubt, the likelier.
    n
        How many.
    labeled
        Texts that have labels already. They and their like are not chosen, and what they stand for needs no other text.
    encoder
        Name of an encoder that tells which texts are alike. None: that of the model; if it has none, their words tell it.
    random_state
        Seed of the choice among many texts.

    Raises
    ------
    InputError, ParameterError
        If there is nothing to choose from, or n is out of range.

    Examples
    --------
    >>> rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: ham, word: lunch}, {id: b, label: spam, word: win}]}")
    >>> for it in suggest_labels(rules, ["lunch at noon", "win a lunch", "see you", "See you!"], 2):
    ...     print(it.text, "|", it.why)
    win a lunch | rules disagree: a says ham, b says spam; stands for about 2 texts like it
    see you | no rule fires
    """
    if not 1 <= n <= MOST:
        raise ParameterError(f"n={n!r}: give 1 to {MOST:,}; more are better chosen after the next training")
    texts, labeled = check_texts(texts, may_be_empty=False), check_texts(labeled, name="labeled")
    language, progress = _language(source, texts), progress or Progress()
    rows = _different(texts, labeled)
    if len(rows) < n:
        warnings.warn(f"only {counted(len(rows), 'different text')} without a label, all are given", stacklevel=2)
    beliefs = _beliefs(source, [texts[i] for i in rows.tolist()], language, progress)
    rng = np.random.default_rng(random_state)
    kept = _sample(beliefs.doubt(), rng)
    known = [labeled[i] for i in rng.permutation(len(labeled))[:POOL].tolist()]
    beliefs, rows, scale = beliefs.take(kept), rows[kept], len(rows) / len(kept)
    progress.say(f"comparing {counted(len(rows), 'text')}")
    compared = [texts[i] for i in rows.tolist()]
    reader = reader_of(source, encoder, language, compared)
    K, covered = likeness(compared, known, reader, language, choose_device(getattr(source, "device", "auto")))
    return _suggestions(beliefs, compared, rows, min(n, len(rows)), K, covered, scale)


def _suggestions(
    beliefs: Beliefs, texts: Sequence[str], rows: Array, n: int, K: Array, covered: Array, scale: float
) -> list[ToLabel]:
    """What is chosen of the texts, which are `rows` of all, and why."""
    doubt = beliefs.doubt()
    if len(texts) > n and np.ptp(doubt) < _TINY:
        warnings.warn("all texts are equally in doubt: they are chosen to be typical and different only", stacklevel=3)
    chosen, by = choose(K, doubt, n, covered)
    stands_for = scale * np.bincount(by[by >= 0], minlength=n)
    is_far = (covered <= np.quantile(covered, FAR)) & covered.any()
    found = []
    for at, j in enumerate(chosen.tolist()):
        why = list(_reasons(beliefs, j))
        why += ["unlike what is labelled so far"] if is_far[j] else []
        like = round(stands_for[at])
        if like > 1 or not why:
            why.append(f"stands for about {counted(like, 'text')} like it" if like > 1 else "unlike the others")
        order = np.argsort(-beliefs.proba[j], kind="stable")[:2].tolist()
        (label, p), runner_up = ((beliefs.labels[k], float(beliefs.proba[j, k])) for k in order)
        label = None if beliefs.by_rules and not beliefs.is_known[j] else label
        found.append(ToLabel(int(rows[j]), texts[j], label, p, *runner_up, "; ".join(why), beliefs.fired(j)))
    return found


def _language(source: Predictor | RuleSet, texts: Sequence[str]) -> Language:
    """The language that texts are read in, with a warning if they look as if they were in another."""
    found = detect_language(texts)
    reads = (
        source.hybrid.features.language
        if isinstance(source, Predictor)
        else declared_or_detected(source.language, texts)
    )
    if reads != found:
        what = "model reads" if isinstance(source, Predictor) else "rules are for"
        names = {"en": "not Chinese", "zh": "Chinese"}
        warnings.warn(
            f"the texts look {names[found]}, but the {what} {reads!r}: of most it knows nothing", stacklevel=3
        )
    return reads


def _different(texts: Sequence[str], labeled: Sequence[str]) -> Array:
    """The first text of each kind that is not empty and not among the labelled ones."""
    seen = {kind_of(""), *map(kind_of, labeled)}
    rows = [i for i, text in enumerate(texts) if (kind := kind_of(text)) not in seen and not seen.add(kind)]  # type: ignore[func-returns-value]
    if not rows:
        raise InputError(f"nothing is left to label: all {counted(len(texts), 'text')} are empty or like labelled ones")
    return np.array(rows, dtype=np.intp)


def _sample(doubt: Array, rng: np.random.Generator) -> Array:
    """At most `POOL` rows, in order; the more in doubt, the likelier."""
    if len(doubt) <= POOL:
        return np.arange(len(doubt))
    weight = doubt + _TINY
    return np.sort(rng.choice(len(doubt), POOL, replace=False, p=weight / weight.sum()))


def _beliefs(source: Predictor | RuleSet, texts: Sequence[str], language: Language, progress: Progress) -> Beliefs:
    if isinstance(source, RuleSet):
        if len(source.labels) < 2:
            raise ParameterError(
                f"{source.name}: name at least two labels under `labels`: there is nothing to tell apart"
            )
        R, pull = source.match(texts, language=language), starting_weights(source)
        fires = R.getnnz(axis=1) > 0
        return Beliefs(source.labels, ONE_OF.proba(R @ pull), R, source.ids, np.maximum(pull, 0), fires, True)
    source.only_one("suggesting texts to label")
    hybrid, ruleset = source.hybrid, source.hybrid.features.ruleset
    n_rules = hybrid.features.n_rules
    proba, fired, known = [], [], []
    for at in progress.track(range(0, len(texts), BLOCK), "model"):
        parts = source.parts(texts[at : at + BLOCK])
        proba.append(source.policy.probabilities(parts.logits, parts.skipped))
        fired.append(parts.X[:, :n_rules])
        known.append(~parts.skipped | (parts.X.getnnz(axis=1) > 0))
    R = scipy.sparse.csr_matrix(scipy.sparse.vstack(fired, format="csr"))
    pull = hybrid.phi_scale * np.maximum(hybrid.weights.coef[:n_rules], 0)
    ids = ruleset.ids if ruleset else []
    return Beliefs(source.labels.tolist(), np.vstack(proba), R, ids, pull, np.concatenate(known), False)


def _reasons(beliefs: Beliefs, j: int) -> Iterator[str]:
    """Why the answer to a text is in doubt."""
    strongest: dict[int, str] = {}  # of each label, the rule that says it loudest
    for i in sorted(beliefs.R[j].indices.tolist(), key=lambda i: -beliefs.pull[i].max()):
        if beliefs.pull[i].any():
            strongest.setdefault(int(beliefs.pull[i].argmax()), beliefs.ids[i])
    if len(strongest) > 1:
        yield "rules disagree: " + some([f"{name} says {beliefs.labels[k]}" for k, name in strongest.items()], 3)
    first, second = np.argsort(-beliefs.proba[j], kind="stable")[:2].tolist()
    p = beliefs.proba[j]
    if not beliefs.is_known[j]:
        yield "no rule fires" if beliefs.by_rules else "the model knows none of its words"
    elif not beliefs.by_rules and p[first] - p[second] < CLOSE:
        said = (f"{beliefs.labels[k]} {percent(float(p[k]))}" for k in (first, second))
        yield f"unsure: {', '.join(said)}"
