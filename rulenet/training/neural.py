"""ψ: from a corpus with out-of-fold φ to a trained ψ and two scalars, both judged on held-out texts. Imports torch, late."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.decide.per_label import best_answers
from rulenet.decide.scales import choose_scales, sharpened
from rulenet.model.device import settled_precision
from rulenet.model.hybrid import HeldOut
from rulenet.model.link import Link
from rulenet.model.phi import Weights
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.alternation import train_stages
from rulenet.training.convex import (
    HALF_HEARD,
    LEAST_BOUND,
    MOVED_RATIO,
    MOVED_SURER,
    Start,
    few_scales,
    settled_bound,
    solve_head,
    solve_start,
)
from rulenet.training.corpus import Corpus
from rulenet.training.first import Came, judging, train_first
from rulenet.training.job import Job
from rulenet.training.objectives.objective import Setup, start_all
from rulenet.training.objectives.supervised import Supervised
from rulenet.training.overfitting import overfitting
from rulenet.training.parts import fields_of
from rulenet.training.phi_stage import MIN_HELD_OUT, split
from rulenet.training.prompt import Prompt
from rulenet.training.recipe import FEW_TEXTS, PARTS, Recipe
from rulenet.training.report import Report
from rulenet.training.teaching import VARIANCE

# Fields of the recipe that the data settle.
SETTLED = ("epochs", "learning_rate", "head_learning_rate", "precision", "frozen_layers", "contrast_steps")

if TYPE_CHECKING:
    from rulenet.model.encoders.encoder import Encoder
    from rulenet.model.psi import Psi
    from rulenet.training.checkpoint import Checkpoint
    from rulenet.training.run import Outcome


@dataclass(frozen=True)
class Seen:
    """What an encoder has made of the texts of a corpus before φ was known."""

    body: Encoder
    h: Array  # h(x), (n_texts, H)
    came: Came | None  # before the encoder learned from labels, if it did and there are enough to judge it by
    contrast_steps: int  # that it made
    said: Array | None = None  # what it answers to the prompt, (n_texts, n_labels)

    def take(self, rows: Array) -> Seen:
        """The same of some texts."""
        if len(rows) == len(self.h):
            return self
        said, came = None if self.said is None else self.said[rows], self.came and Came(self.came.h[rows])
        return replace(self, h=self.h[rows], came=came, said=said)


def see(corpus: Corpus, encoder: str, recipe: Recipe, report: Report, job: Job) -> Seen:
    """h(x) of all texts, by the encoder as it comes or, where few texts are labelled, as its first objectives leave it."""
    import torch

    from rulenet.training.run import new_accelerator, new_cut, own_gpu

    started, n_given = time.perf_counter(), int(corpus.is_given.sum())
    judges = n_given >= MIN_HELD_OUT
    with torch.random.fork_rng(devices=own_gpu(job.device)):
        psi, corpus = new_psi(corpus, encoder, recipe, report, job)
        n_train = round((1 - recipe.held_out) * n_given) if judges else n_given
        settled = recipe.resolved(len(corpus), psi.encoder.traits, n_train, recipe.fewest(draws=True))
        settled = settled.with_changes(precision=psi.precision)
        nothing = Weights(np.zeros((0, corpus.Y.shape[1])), np.zeros(corpus.Y.shape[1]))
        setup = Setup(psi, corpus, corpus.with_target, nothing, PhiProblem(), new_cut(settled, psi))
        if "contrast_steps" in settled.leaves():
            report.settled["contrast_steps"] = settled.leaves()["contrast_steps"]
        said = recipe.prompt.ask(psi, corpus.texts) if isinstance(recipe.prompt, Prompt) else None
        came = train_first(setup, np.arange(0), settled, report, job, judges=judges)
        h = psi.hidden(corpus.rows, device=new_accelerator(job.device).device)
    report.seconds_per_text["psi"] = (time.perf_counter() - started) / len(corpus)
    return Seen(psi.encoder, h, came, report.settled.get("contrast_steps", 0), said)


def fit_psi(
    corpus: Corpus, weights: Weights, problem: PhiProblem, encoder: str, recipe: Recipe, report: Report, job: Job,
    seen: Seen | None = None,
) -> tuple[Psi, Weights, HeldOut | None]:  # fmt: skip
    """Train ψ against out-of-fold φ; returns ψ, φ's weights after that and the held-out texts' logits. The rest is in the report."""
    import torch

    from rulenet.model.encoders.compact import round_weights
    from rulenet.training.run import Outcome, new_cut, own_gpu

    started, known = time.perf_counter(), corpus.with_target
    job.progress.stage("ψ", f"ψ: {encoder}, {counted(len(corpus), 'text')}")
    with torch.random.fork_rng(devices=own_gpu(job.device)):
        recipe = recipe.with_changes(precision=settled_precision(recipe.steps.precision, job.device))
        psi, corpus = new_psi(corpus, encoder, recipe, report, job, None if seen is None else seen.body)
        body = psi.encoder
        held_out = known[split(corpus.Y[known], corpus.is_given[known], recipe.held_out, job.seed, problem.link)[1]]
        train = np.setdiff1d(np.arange(len(corpus)), held_out)
        steps = seen.contrast_steps if seen else recipe.leaves().get("contrast_steps", 0)
        steps = steps if steps is not None else body.traits.contrast_steps
        if seen and "contrast_steps" in recipe.leaves():
            recipe = recipe.with_changes(contrast_steps=steps)
        forgets = False  # whether guesses are no targets in the epochs
        traits, n_train = replace(body.traits, contrast_steps=steps), len(np.intersect1d(train, known))
        few = recipe.fewest(draws=bool(steps or report.has_guesses))
        if report.has_guesses and recipe.starts_convex(traits):  # what rules taught is in the convex start
            labelled = train[corpus.is_given[train]]
            n_train, forgets = len(labelled), len(labelled) >= FEW_TEXTS
            train = labelled if forgets and not recipe.mixes else train
        recipe = recipe.resolved(len(corpus), traits, n_train, few)
        checkpoint = new_checkpoint(job, psi, corpus, weights, problem, encoder, recipe)
        setup = Setup(psi, corpus, train, weights, problem, new_cut(recipe, psi))
        terms = start_all(recipe.beside, setup)
        leaves = recipe.leaves()
        report.settled |= {"bound": psi.bound, **{name: leaves[name] for name in SETTLED if name in leaves}}
        came = train_first(setup, held_out, recipe, report, job) if seen is None else seen.came
        if recipe.steps.epochs and not recipe.reads_pieces:
            corpus = recipe.tune.keep(body, corpus, job.device, psi.precision)
        start = begin(
            replace(setup, corpus=corpus), came, held_out, recipe, report, job, None if seen is None else seen.h
        )
        judged = corpus.take(held_out) if len(held_out) else None
        outcome = Outcome([], [], 0)
        if recipe.steps.epochs:
            rows, begun = (corpus.without_guesses() if forgets else corpus).take(train), start is not None
            with judging(recipe.beside, terms, psi, judged, len(rows), report):
                outcome = train_stages(psi, rows, judged, recipe, terms, job, checkpoint, report, judge_start=begun)
    if body.traits.sixteen_bits:
        round_weights(psi.body)  # here, so that the model is judged as it is saved
    for term in terms:
        weights, judged = term.finish(weights, judged)
    note(outcome, report)
    report.seconds["psi"] = time.perf_counter() - started
    # Fitted parts do not change: with dropout switched off, several threads may use ψ at the same time.
    psi.eval()
    kept = start if outcome.best_epoch == 0 and not outcome.interrupted else None
    return psi, weights, conclude(psi, kept, judged, problem, recipe, report)


def note(outcome: Outcome, report: Report) -> None:
    """Write down how training went."""
    report.epochs, report.best_epoch = len(outcome.train_loss), outcome.best_epoch
    report.train_loss, report.held_out_loss = outcome.train_loss, outcome.held_out_loss
    report.joint, report.averaged, report.trained_share = outcome.joint, outcome.averaged, outcome.trained_share
    report.curves += outcome.curve
    report.overfitting = overfitting(outcome.curve, outcome.best_epoch)
    report.interrupted |= outcome.interrupted


def new_psi(
    corpus: Corpus, encoder: str, recipe: Recipe, report: Report, job: Job, body: Encoder | None = None
) -> tuple[Psi, Corpus]:
    """ψ before any training, and the corpus with the word pieces of its texts."""
    import torch

    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.psi import Psi
    from rulenet.training.checkpoint import WORD_PIECES

    folder, known = job.work_dir, corpus.with_target if len(corpus.with_target) else np.arange(len(corpus))
    if body is None:
        texts = [corpus.texts[i] for i in known.tolist()]
        body = load_encoder(encoder, texts=texts, seed=job.seed, **fields_of(recipe.reading))
        for tuning in recipe.tunings:
            tuning.begin(body)
        body.drop(recipe.steps.encoder_dropout)
    torch.manual_seed(job.seed)
    bound, dropout = LEAST_BOUND if recipe.head.bound == "auto" else recipe.head.bound, recipe.head.dropout
    precision = settled_precision(recipe.steps.precision, job.device)
    psi = Psi(body, corpus.Y.shape[1], bound=bound, dropout=dropout, precision=precision)
    silence(psi, np.maximum(corpus.Y, 0.0).sum(axis=0) == 0)
    rows = body.encode(corpus.texts, cache=folder and folder / WORD_PIECES)
    report.encoder, report.n_pieces = encoder, body.tokenizer.get_vocab_size()
    report.cut_texts = float((rows.lengths[known] >= body.longest_row).mean())
    return psi, replace(corpus, rows=rows)


def conclude(
    psi: Psi, start: Start | None, held_out: Corpus | None, problem: PhiProblem, recipe: Recipe, report: Report
) -> HeldOut | None:
    """Judge ψ by the held-out texts or, if it is its start, by those that the start was judged by; None if they are too few."""
    if start is None:
        return None if held_out is None else judge(psi, held_out, None, None, problem.link, recipe, report)
    psi.begin(start.head.weight, start.head.bias, psi.bound)
    scales, n_texts = None, len(start.judged)
    # Where φ and ψ taught each other, the held-out texts alone are judged.
    few, fewest = (1, 1) if report.self_taught else (FEW_TEXTS, MIN_HELD_OUT)
    if (n_texts < few or start.is_moved) and not problem.rules and not report.teaching:
        phi, target, traits = start.judged.phi, start.judged.Y, psi.encoder.traits
        ratio = max(traits.few_ratio, MOVED_RATIO) if start.is_moved else traits.few_ratio
        a, s = sharpened(*few_scales(phi, start.psi, ratio), phi, start.psi, target, problem.link)
        surer = MOVED_SURER if start.is_moved else 1.0
        scales = surer * a, surer * s, False
        report.phi_scale, report.psi_scale = scales[:2]
    if n_texts < fewest:
        if problem.rules and n_texts and not report.teaching:
            report.psi_scale = n_texts / (n_texts + HALF_HEARD)
        return None
    return judge(psi, start.judged, start.psi, scales, problem.link, recipe, report)


def begin(
    setup: Setup, came: Came | None, held_out: Array, recipe: Recipe, report: Report, job: Job, h: Array | None = None
) -> Start | None:
    """Give ψ its convex start, without the held-out texts if epochs follow; None for an encoder that has read nothing yet.

    `came`: before the encoder learned from the texts that it is to be judged by, if it did; `h`: h(x) now, if it is known.
    """
    from rulenet.training.run import new_accelerator

    psi, corpus, link = setup.psi, setup.corpus, setup.problem.link
    if not recipe.starts_convex(psi.encoder.traits):
        return None
    objective = next(objective for objective in recipe.objectives if isinstance(objective, Supervised))
    began, where = time.perf_counter(), new_accelerator(job.device).device
    if h is None:
        h = psi.hidden(corpus.rows, device=where, layers=corpus.layers)
        report.seconds_per_text["psi"] = (time.perf_counter() - began) / len(corpus)
    alone = len(corpus.with_target) < FEW_TEXTS and not setup.problem.rules
    how: dict[str, Any] = {"psi_loss": None if alone else objective.psi_loss}
    variance, known = recipe.head.head_variance, corpus.with_target
    if report.has_guesses and corpus.is_given.sum() < MIN_HELD_OUT:  # guesses are no judges: they are ψ's own
        head = solve_head(h[known], corpus.take(known), link, variance=variance or VARIANCE, **how)
        start = Start(head, variance or VARIANCE, corpus.take(np.arange(0)), np.zeros((0, corpus.Y.shape[1])))
    else:
        first, views = (h, ()) if came is None else (came.h, came.views)
        how_judged: dict[str, Any] = {"seed": job.seed, "others_taught": bool(report.self_taught), "views": views}
        start = solve_start(first, corpus, held_out, link, variance=variance, **how_judged, **how)
    if came is not None:
        head = solve_head(h[known], corpus.take(known), link, variance=start.variance, **how)
        start = replace(start, head=head) if came.views else start.moved(head, h[known])
    bound, head = recipe.head.bound, start.head
    if bound == "auto":  # who asks for exits wants a low bound
        bound = LEAST_BOUND if recipe.phi.exit_margin else settled_bound(head(h[known]))
    if recipe.steps.epochs and len(held_out):
        rows = np.setdiff1d(known, held_out)
        head = solve_head(h[rows], corpus.take(rows), link, variance=start.variance, **how)
    psi.begin(head.weight, head.bias, bound)
    report.settled |= {"head_variance": start.variance, "bound": bound}
    start = replace(start, psi=psi.bounded(start.psi))
    if not start.judged.is_given.any():
        return start
    report.start = accuracies(start.judged.phi, start.psi, start.judged.phi + start.psi, start.judged.Y, link)
    names = {"phi": "φ", "psi": "ψ", "hybrid": "both"}
    found = ", ".join(f"{name} {report.start[part]:.1%}" for part, name in names.items())
    if recipe.steps.epochs:  # else this is what the report of the whole says
        job.progress.say(f"convex start, on {counted(len(start.judged), 'text')} that it did not see: {found}")
    return start


def accuracies(phi: Array, psi: Array, hybrid: Array, target: Array, link: Link) -> dict[str, float]:
    """Number of texts, and the accuracies of φ, ψ and both; of several labels the share of texts with exactly the right ones."""
    y, answers = link.right(target), {"phi": phi, "psi": psi, "hybrid": hybrid}
    if link.several:
        found = {name: (best_answers(logits, y) == y).all(axis=1) for name, logits in answers.items()}
    else:
        found = {name: link.answer(logits) == y for name, logits in answers.items()}
    return {"texts": len(y), **{name: float(right.mean()) for name, right in found.items()}}


def silence(psi: Psi, classes: Array) -> None:
    """Keep ψ at 0 for some classes, those without examples: it could only learn that no text has them."""
    import torch

    if classes.any():
        heard = torch.as_tensor(~classes, dtype=torch.float32)
        for weight in (psi.from_text.weight, psi.from_text.bias, psi.from_phi.weight):
            mask = heard if weight.ndim == 1 else heard[:, None]
            weight.data *= mask
            weight.register_hook(lambda gradient, mask=mask: gradient * mask.to(gradient.device))  # type: ignore[no-untyped-call]


def judge(
    psi: Psi,
    held_out: Corpus,
    neural: Array | None,
    scales: tuple[float, float, bool] | None,
    link: Link,
    recipe: Recipe,
    report: Report,
) -> HeldOut:
    """Fit the two scalars and measure the accuracy on texts unseen by both; returns their logits. `neural`: their ψ, if known."""
    if neural is None:
        where = next(psi.parameters()).device
        started = time.perf_counter()
        neural = psi.predict(held_out.rows, held_out.phi, device=where, layers=held_out.layers)
        report.seconds_per_text["psi"] = (time.perf_counter() - started) / len(held_out)
    prefers_exits = recipe.phi.exit_margin > 0
    a, s, moved = scales or choose_scales(held_out.phi, neural, held_out.Y, prefer_exits=prefers_exits, link=link)
    report.phi_scale, report.psi_scale, report.scales_moved = a, s, moved
    given = held_out.is_given  # what was guessed says nothing about accuracy
    if given.any():
        logits = a * held_out.phi + s * neural
        report.held_out = accuracies(held_out.phi[given], neural[given], logits[given], held_out.Y[given], link)
    # What φ guessed is not a label to calibrate by.
    y = link.right(held_out.Y)
    y[~held_out.is_given] = -1
    return HeldOut(held_out.phi, neural, y)


def new_checkpoint(
    job: Job, psi: Psi, corpus: Corpus, weights: Weights, problem: PhiProblem, encoder: str, recipe: Recipe
) -> Checkpoint | None:
    """Where ψ's training is kept, and everything that determines its result; None without a folder."""
    if job.work_dir is None:
        return None
    from rulenet.training.checkpoint import Checkpoint, identity_of
    from rulenet.training.run import own_gpu

    settings: dict[str, Any] = {}
    for name, value in recipe.to_dict().items():
        settings |= value if name in PARTS else {name: value}
    settings |= {"encoder": encoder, "seed": job.seed, "device": "cuda" if own_gpu(job.device) else "cpu"}
    n_rules = len(problem.rules)
    fired = corpus.X[:, :n_rules].tocoo()
    rules = [np.frombuffer(repr(problem.rules).encode(), np.uint8), fired.row, fired.col, fired.data]
    arrays = {
        "labels": corpus.Y,
        "rules": np.concatenate(rules),
        "out-of-fold φ": corpus.phi,
        "weights of φ": weights.coef,
    }
    return Checkpoint(job.work_dir, identity_of(corpus.rows, arrays, psi.state_dict(), settings), job.resume)
