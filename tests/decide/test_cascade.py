"""rulenet.decide.cascade: a certified exit changes no answer, whatever ψ says; a statistical one as few as it promises."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.decide.cascade import (
    Cascade,
    choose,
    most_changes,
    statistical_margin,
    texts_needed,
    upper_limit,
)
from rulenet.errors import ParameterError
from rulenet.model.hybrid import Hybrid
from rulenet.model.link import ONE_OF
from rulenet.model.phi import Weights

Array = np.ndarray[Any, np.dtype[Any]]


def model(phi: Array, psi: Array, bound: float, scales: tuple[float, float]) -> tuple[Hybrid, list[str]]:
    """A hybrid whose two parts say what they are told to, and the texts "0", "1", …: one for each row."""

    def rows(texts: list[str]) -> list[int]:
        return [int(text) for text in texts]

    features = SimpleNamespace(transform=lambda texts: scipy.sparse.csr_matrix(phi[rows(texts)]))
    neural = SimpleNamespace(
        bound=bound, encoder=SimpleNamespace(encode=rows), predict=lambda ids, phi, device: psi[ids]
    )
    weights = Weights(np.eye(phi.shape[1]), np.zeros(phi.shape[1]))
    return Hybrid(features, weights, neural, *scales), [str(i) for i in range(len(phi))]  # type: ignore[arg-type]


# Certified


def certified_margin(bound: float | None, psi_scale: float) -> float:
    return choose("certified", 0.005, bound=bound, phi=None, psi=None, psi_scale=psi_scale).margin


@settings(deadline=None, max_examples=300)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_classes=st.integers(2, 6),
    bound=st.sampled_from([1e-3, 0.1, 1.0, 1.5, 3.0, 10.0]),
    scales=st.tuples(st.floats(0.05, 20), st.floats(1e-3, 10)),
    size=st.sampled_from([0.1, 1.0, 10.0, 1000.0]),
    kind=st.sampled_from(["random", "corners", "adversary", "beyond the bound"]),
)
def test_a_certified_exit_never_changes_an_answer(
    seed: int, n_classes: int, bound: float, scales: tuple[float, float], size: float, kind: str
) -> None:
    rng = np.random.default_rng(seed)
    phi = rng.normal(scale=size, size=(60, n_classes))
    # A third of the texts leads by 2·s·B to the last bits: there a sum that is rounded could tip.
    a, s = scales
    order = np.argsort(phi[:20], axis=1)
    top, second = (np.arange(20), order[:, -1]), (np.arange(20), order[:, -2])
    phi[top] = phi[second] + 2 * s * bound / a * (1 + rng.integers(-3, 4, size=20) * 2.0**-52)
    psi = {
        "random": rng.uniform(-bound, bound, size=phi.shape),
        "corners": bound * rng.choice([-1.0, 1.0], size=phi.shape),
        "adversary": np.where(phi == phi.max(axis=1, keepdims=True), -bound, bound),
        "beyond the bound": np.where(phi == phi.max(axis=1, keepdims=True), -1, 1) * bound * (1 + 2**-8),
    }[kind]
    hybrid, texts = model(phi, psi, bound, scales)
    everything = hybrid.parts(texts)
    exits = hybrid.parts(texts, skips=lambda phi: ONE_OF.lead(phi) > certified_margin(bound, s))
    assert exits.logits.argmax(axis=1).tolist() == everything.logits.argmax(axis=1).tolist()
    assert not everything.skipped.any()
    assert not exits.psi[exits.skipped].any()
    assert np.array_equal(exits.psi[~exits.skipped], everything.psi[~exits.skipped])


def test_the_certificate_is_no_larger_than_it_must_be() -> None:
    # Just below 2·s·B = 3, an adversary does turn the answer.
    hybrid, texts = model(np.array([[2.99, 0.0]]), np.array([[-1.5, 1.5]]), 1.5, (1.0, 1.0))
    assert hybrid.parts(texts).logits.argmax() == 1
    margin = certified_margin(1.5, 1.0)
    assert not hybrid.parts(texts, skips=lambda phi: ONE_OF.lead(phi) > margin).skipped[0]
    hybrid, texts = model(np.array([[3.01, 0.0]]), np.array([[-1.5, 1.5]]), 1.5, (1.0, 1.0))
    assert hybrid.parts(texts, skips=lambda phi: ONE_OF.lead(phi) > margin).skipped[0]


def test_the_margin_grows_with_bound_and_scale_of_psi() -> None:
    assert certified_margin(1.5, 1.0) == pytest.approx(3.0)
    assert certified_margin(1.5, 0.5) == pytest.approx(1.5)
    assert certified_margin(None, 1.0) == math.inf


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "n_texts"), [("ag_news", 100), ("imdb", 60)])
def test_certified_exits_change_no_answer_on_real_texts(
    data_dir: Path, repository: Path, name: str, n_texts: int
) -> None:
    """φ of 2,000 training texts; a MiniLM with a random head that argues against φ, up to its bound."""
    torch = pytest.importorskip("torch")
    from rulenet import RuleNetClassifier
    from rulenet.data.load import load
    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.psi import Psi

    rng = np.random.default_rng(0)
    train, test = (load(str(data_dir / name / f"{part}.csv.xz")) for part in ("train", "test"))
    chosen = rng.choice(len(train.texts), 2000, replace=False).tolist()
    rules = repository / "rules" / f"{name}.yaml"
    clf = RuleNetClassifier(rules, None).fit([train.texts[i] for i in chosen], [train.labels[i] for i in chosen])
    texts = [test.texts[i] for i in rng.choice(len(test.texts), n_texts, replace=False).tolist()]
    phi, K = clf.predictor_.parts(texts).phi, len(clf.classes_)
    torch.manual_seed(0)
    psi = Psi(load_encoder("minilm", texts=[], max_length=64, seed=0), K, bound=1.5, dropout=0.0)
    torch.nn.init.normal_(psi.from_text.weight, std=0.1)
    psi.from_phi.weight.data = 20 * (torch.ones(K, K) / K - torch.eye(K))
    scales = {
        "phi_scale": 2 * 0.8 * 1.5 / float(np.median(ONE_OF.lead(phi))),
        "psi_scale": 0.8,
    }  # half of the texts exit
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, psi=psi.eval(), **scales))
    everything = clf.predict(texts)
    assert (everything != clf.set_params(cascade="certified").predict(texts)).sum() == 0
    assert clf.predictor_.parts(texts).skipped.mean() == pytest.approx(0.5, abs=0.02)
    assert (everything != clf.classes_[phi.argmax(axis=1)]).mean() > 0.25  # ψ does turn answers: others than those


# Statistical


def test_clopper_pearson_by_hand() -> None:
    # None in n: the share p for which (1 − p)ⁿ = 0.05.
    assert upper_limit(0, 10) == pytest.approx(1 - 0.05**0.1)
    # One in two: p² + … = P(at most 1) = 1 − p² = 0.05.
    assert upper_limit(1, 2) == pytest.approx(math.sqrt(0.95))
    assert upper_limit(2, 2) == 1.0
    assert upper_limit(0, 0) == 1.0


@pytest.mark.parametrize("risk", [0.001, 0.005, 0.05, 0.5, 0.999])
def test_texts_needed_is_the_number_from_which_no_change_is_enough(risk: float) -> None:
    n = texts_needed(risk)
    assert most_changes(n, risk) >= 0
    assert most_changes(n - 1, risk) == -1


@pytest.mark.parametrize(("n", "risk"), [(0, 0.1), (7, 0.01), (200, 0.05), (1000, 0.05), (50, 0.9)])
def test_most_changes_is_what_trying_them_all_gives(n: int, risk: float) -> None:
    assert most_changes(n, risk) == max([-1, *(k for k in range(n) if upper_limit(k, n) <= risk)])


def two_labels(margins: list[float], changed: list[bool]) -> tuple[Array, Array]:
    """φ that leads by these margins for the first of two labels, and ψ that turns some of the answers."""
    phi = np.array([[margin, 0.0] for margin in margins])
    return phi, np.array(
        [[0.0, 2 * margin + 1 if turn else 0.0] for margin, turn in zip(margins, changed, strict=True)]
    )


@pytest.mark.parametrize(
    ("margins", "changed", "risk", "margin", "changes"),
    [
        # Of five texts none may change at a risk of 0.5 (limit of none: 0.45, of one: 0.66).
        ([1, 2, 3, 4, 5], [False, False, True, False, False], 0.5, 3.0, 0),
        ([5, 3, 1, 4, 2], [False, True, False, False, False], 0.5, 3.0, 0),
        ([1, 2, 3, 4, 5], [True, False, False, False, False], 0.5, 1.0, 0),
        ([1, 2, 3, 4, 5], [False, False, False, False, True], 0.5, 5.0, 0),
        ([1, 2, 3, 4, 5], [False] * 5, 0.5, 0.0, 0),
        # One may change at 0.7: that goes on until the second does.
        ([1, 2, 3, 4, 5], [False, True, False, True, False], 0.7, 2.0, 1),
        # Equal margins are skipped together or not at all.
        ([1, 3, 3, 3, 5], [False, False, True, False, False], 0.5, 3.0, 0),
    ],
)
def test_the_margin_by_hand(
    margins: list[float], changed: list[bool], risk: float, margin: float, changes: int
) -> None:
    phi, psi = two_labels(margins, changed)
    found, bound = statistical_margin(phi, psi, risk)
    assert found == margin
    assert bound == pytest.approx(upper_limit(changes, 5))
    skipped = ONE_OF.lead(phi) > found
    assert ((phi.argmax(axis=1) != (phi + psi).argmax(axis=1)) & skipped).sum() == changes


def test_too_few_texts_promise_nothing() -> None:
    phi, psi = two_labels([1.0] * 4, [False] * 4)
    assert statistical_margin(phi, psi, 0.5) == (math.inf, 1.0)
    assert statistical_margin(phi[:0], psi[:0], 0.5) == (math.inf, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("ties", [False, True])
def test_the_promise_holds_on_texts_it_was_not_tuned_on(ties: bool) -> None:
    """Margins from 400 draws of 1,000 texts; the share that changes among 200,000 others may exceed the risk in 5 % of the draws."""
    risk, rng = 0.01, np.random.default_rng(0)
    phi, psi = rng.normal(scale=2.0, size=(200_000, 3)), rng.uniform(-1.5, 1.5, size=(200_000, 3))
    phi = np.round(phi) if ties else phi
    margin, changed = ONE_OF.lead(phi), phi.argmax(axis=1) != (phi + psi).argmax(axis=1)
    risks = []
    for _ in range(400):
        rows = rng.choice(len(phi), 1000, replace=False)
        at, bound = statistical_margin(phi[rows], psi[rows], risk)
        assert bound <= risk
        risks.append(float((changed & (margin > at)).mean()))
    broken = np.mean(np.array(risks) > risk)
    assert broken <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    if not ties:
        assert broken >= 0.01  # the promise is kept, but not by skipping next to nothing
        assert np.median(risks) > risk / 4


# What is chosen

MARGINS = np.linspace(0.02, 5.0, 250)
PHI, PSI = two_labels(MARGINS.tolist(), (MARGINS < 1).tolist())


def test_off_skips_nothing_and_has_nothing_to_say() -> None:
    assert choose("off", 0.01, bound=1.5, phi=PHI, psi=PSI, psi_scale=1.0) == Cascade("off", math.inf)
    assert Cascade("off", math.inf).to_dict()["margin"] is None


def test_a_model_without_psi_says_so() -> None:
    found = choose("statistical", 0.01, bound=None, phi=PHI, psi=PSI, psi_scale=0.0)
    assert (found.mode, found.margin) == ("off", math.inf)
    assert found.note == "the model has no ψ to skip: every answer is φ's alone"


def test_certified_reports_what_it_saves() -> None:
    found = choose("certified", 0.01, bound=1.25, phi=PHI, psi=PSI, psi_scale=1.0, cost_ratio=0.1)
    assert (found.mode, found.margin, found.risk_bound) == ("certified", pytest.approx(2.5), 0.0)
    assert (found.share_skipped, found.changed) == (pytest.approx(0.5), 0.0)
    # Without: 0.1 + 1 for each text. With: 0.1 for each and 1 for every second one.
    assert found.speed_up == pytest.approx(1.1 / 0.6, rel=0.01)
    assert found.to_dict() == {
        "mode": "certified", "margin": found.margin, "share_skipped": found.share_skipped, "changed": 0.0,
        "risk_bound": 0.0, "speed_up": found.speed_up, "note": "",
    }  # fmt: skip


def test_an_unbounded_psi_has_no_certificate() -> None:
    found = choose("certified", 0.01, bound=None, phi=PHI, psi=PSI, psi_scale=1.0)
    assert (found.margin, found.share_skipped, found.changed) == (math.inf, 0.0, 0.0)


def test_statistical_takes_the_smaller_margin() -> None:
    found = choose("statistical", 0.02, bound=1.25, phi=PHI, psi=PSI, psi_scale=1.0)
    # One of 250 may change at 2 %. ψ turns the answers up to 0.98: that one is skipped, 0.96 and all below are not.
    assert (found.mode, found.margin) == ("statistical", pytest.approx(0.96))
    assert (found.changed, found.risk_bound) == (1 / 250, pytest.approx(upper_limit(1, 250)))
    assert found.share_skipped == pytest.approx(202 / 250)
    found = choose("statistical", 0.02, bound=0.25, phi=PHI, psi=PSI, psi_scale=1.0)
    assert (found.mode, found.margin, found.risk_bound) == ("certified", pytest.approx(0.5), 0.0)
    assert "certified exits already skip as much" in found.note


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"is_stale": True}, "rules have changed since the margin was chosen; calibrate the model again"),
        ({"phi": None, "psi": None}, "0 held-out texts cannot promise a risk of 0.02: that takes 149; calibrate the model with more texts"),
        ({"phi": PHI[:148], "psi": PSI[:148]}, "148 held-out texts cannot promise a risk of 0.02: that takes 149;"),
    ],
)  # fmt: skip
def test_statistical_without_grounds_is_certified_with_a_note(changes: dict[str, Any], note: str) -> None:
    found = choose(
        **{"mode": "statistical", "risk": 0.02, "bound": 1.25, "phi": PHI, "psi": PSI, "psi_scale": 1.0, **changes}
    )
    assert (found.mode, found.margin, found.risk_bound) == ("certified", pytest.approx(2.5), 0.0)
    assert found.note.startswith(note)
    assert found.note.endswith("only certified exits are taken")


@pytest.mark.parametrize(("mode", "risk"), [("sometimes", 0.01), ("statistical", 0.0), ("certified", 1.0)])
def test_what_cannot_be_chosen_is_said(mode: str, risk: float) -> None:
    with pytest.raises(ParameterError, match=rf"^cascade='{mode}', cascade_risk={risk}: use 'off', 'certified' or"):
        choose(mode, risk, bound=1.5, phi=PHI, psi=PSI, psi_scale=1.0)
