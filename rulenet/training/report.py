"""What happened in training: the content of `report_`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """What happened in training.

    Attributes
    ----------
    held_out
        Accuracy on the held-out texts of φ, of ψ alone and of the hybrid, and their number; φ there is out-of-fold.
    start
        Of the convex start: accuracy of φ, of ψ alone and of their sum on texts that neither saw, and the number of these texts.
    auto
        With ``recipe="auto"``: the `recipe` that was chosen, the `gain` in points that is expected of it on data like these, its `doubt`,
        and what measurements on the data most like these, `nearest`, count here (`likeness`).
    teaching
        What rules taught about texts without a label: on how many they fire (`covered`) and vote (`voted`), and on how many the nearest
        texts have the same vote (`trusted`); after each round, the share of votes not learned from that the model shares (`agreement`); the
        weight of a guess (`mass`); the share of guesses expected to be wrong (`doubt`), and what of that falls on texts without a rule
        (`doubt_without_rule`); and what would help most (`advice`).
    compared
        Of enough labelled `texts`, how often what `rules` teach without labels is right, and what `labels` teach without rules; where the
        labels are `ahead`, rules have not taught.
    self_taught
        Of the rounds before `PseudoLabels`: the number of `texts` that φ and ψ's head labelled for each other, `rounds`, and the share of
        these labels expected to be wrong (`doubt`).
    unsupervised
        Of each objective without labels: its name (`objective`), whether it came `first`, the number of `texts` it learned from and of its
        `judges`, texts that it did not learn from, and what it reached on these `before` and `after`: perplexity, loss or shares; of
        denoising also `examples`, texts beside what is made of them.
    distillation
        Of a student: how many teachers; the texts that it learned from, and how many of these had labels; on texts held out from it
        (`held_out`), the share of answers that are the teachers' (`agreement`); and of those with labels (`held_out_labels`) its
        accuracy and theirs. Its `curves` are judged by the teachers' answers.
    joint
        Whether φ's weights have learned together with ψ: there was a joint epoch, and it was kept.
    stages
        Of each stage: name, epochs, the held-out scores of the best of them, share of the encoder trained, and whether it was kept.
    overfitting
        If the loss on held-out texts rose for several epochs while that on training texts fell: since when, and what helps. Else empty.
    averaged
        Whether the average of the weights of the last steps was kept, rather than an epoch.
    trained_share
        Share of the encoder's weights that epochs trained: of all, and of those outside its table of word pieces.
    curves
        How training went: for each epoch its ``stage``, ``epoch``, ``train_loss``, ``held_out_loss``, ``accuracy`` and ``macro_f1`` on the
        held-out texts, ``learning_rate`` of its last step, and ``terms``, the mean loss of each objective. The steps of an objective that
        comes first are an epoch of a stage of their own.
    seconds
        Wall time of each stage.
    scales_moved
        Whether the likeliest scalars gave worse answers on the held-out texts than φ or ψ alone, so that others were chosen.
    thresholds
        Of several labels per text: the threshold of the logit that is best for all labels together (`common`), on how many held-out
        texts it and each label's own were chosen (0: all are a probability of 0.5), and how many labels the texts have.
    settled
        The values of those fields of the recipe that depend on the data.
    encoder
        What ``"auto"`` became; empty without one.
    n_pieces
        Word pieces that the encoder tells apart. Of one of many languages, those are kept that matter for texts like these.
    cut_texts
        Share of the training texts that ψ reads only in part.
    seconds_per_text
        Of φ's columns and of ψ, in prediction.
    calibration, cascade
        Measured on held-out texts: of the probabilities, and of skipping ψ.
    rule_tally
        How often each rule fired on the labelled texts and was right; on all texts if no text has a label. Drift is measured from it.
    """

    n_texts: int = 0
    n_unlabeled: int = 0
    language: str = ""
    n_rules: int = 0
    n_terms: int = 0
    held_out: dict[str, float] = field(default_factory=dict)
    start: dict[str, float] = field(default_factory=dict)
    auto: dict[str, Any] = field(default_factory=dict)
    teaching: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, Any] = field(default_factory=dict)
    distillation: dict[str, Any] = field(default_factory=dict)
    phi_scale: float = 1.0
    psi_scale: float = 1.0
    scales_moved: bool = False
    epochs: int = 0
    best_epoch: int = 0
    self_taught: dict[str, Any] = field(default_factory=dict)
    unsupervised: list[dict[str, Any]] = field(default_factory=list)
    joint: bool = False
    stages: list[dict[str, Any]] = field(default_factory=list)
    overfitting: str = ""
    averaged: bool = False
    trained_share: dict[str, float] = field(default_factory=dict)
    train_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False
    encoder: str = ""
    n_pieces: int = 0
    cut_texts: float = 0.0
    thresholds: dict[str, float] = field(default_factory=dict)
    settled: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    seconds_per_text: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    cascade: dict[str, Any] = field(default_factory=dict)
    rule_tally: dict[str, Any] = field(default_factory=dict)

    @property
    def has_guesses(self) -> bool:
        """Whether texts without a label were labelled before φ was solved, by rules or by φ and ψ's head."""
        return bool(self.teaching or self.self_taught)
