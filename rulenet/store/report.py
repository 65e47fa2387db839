"""What the report of a model may say: the fields of `training.report.Report`, and those that calibration and edits add. Imports pydantic.

Everything is bounded, as commands print what they find here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

_SHAPE = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")
_Name = Annotated[str, Field(max_length=100)]
_Note = Annotated[str, Field(max_length=10_000)]
_Count = Annotated[int, Field(ge=0, le=10**12)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Seconds = Annotated[float, Field(ge=0, le=1e12)]
_Finite = Annotated[float, Field(ge=-1e300, le=1e300)]
_Setting = bool | Annotated[int, Field(ge=-(10**12), le=10**12)] | _Finite | _Note | None
_Path = Literal["hybrid", "rules"]
_Accuracies = dict[Literal["texts", "phi", "psi", "hybrid"], Annotated[float, Field(ge=0, le=1e12)]]


@with_config(_SHAPE)
class _Temperature(TypedDict):
    base: Annotated[float, Field(gt=0, le=1e12)]
    growth: _Finite


@with_config(_SHAPE)
class _Bin(TypedDict):
    texts: _Count
    confidence: _Share
    accuracy: _Share


@with_config(_SHAPE)
class _Point(TypedDict):
    coverage: _Share
    accuracy: _Share
    threshold: _Share


@with_config(_SHAPE)
class _Calibration(TypedDict, total=False):
    texts: _Count
    paths: dict[_Path, _Count]
    temperature: dict[_Path, _Temperature]
    ece: _Share
    reliability: Annotated[list[_Bin], Field(max_length=1000)]
    coverage_curve: Annotated[list[_Point], Field(max_length=1000)]


@with_config(_SHAPE)
class _Cascade(TypedDict, total=False):
    mode: Literal["off", "certified", "statistical"]
    margin: _Finite | None
    share_skipped: _Share | None
    changed: _Share | None
    risk_bound: _Share
    speed_up: _Seconds | None
    note: _Note


@with_config(_SHAPE)
class _Tally(TypedDict):
    fired: _Count
    right: _Count | None


@with_config(_SHAPE)
class _Tallies(TypedDict, total=False):
    fingerprint: _Name
    texts: _Count
    rules: dict[str, _Tally]


@with_config(_SHAPE)
class _Auto(TypedDict, total=False):
    recipe: _Note
    gain: _Finite
    doubt: Annotated[float, Field(ge=0, le=1e6)]
    likeness: _Share
    nearest: _Name


@with_config(_SHAPE)
class _Teaching(TypedDict, total=False):
    covered: _Count
    voted: _Count
    trusted: _Count
    agreement: Annotated[list[_Share | None], Field(max_length=101)]
    mass: _Share
    doubt: _Share
    doubt_without_rule: _Share
    advice: _Note


@with_config(_SHAPE)
class _Compared(TypedDict, total=False):
    texts: _Count
    rules: _Share
    labels: _Share
    ahead: bool


@with_config(_SHAPE)
class _Epoch(TypedDict):
    """An epoch of training; losses may be NaN where training failed."""

    stage: _Name
    epoch: _Count
    train_loss: float
    held_out_loss: float | None
    accuracy: _Share | None
    macro_f1: _Share | None
    learning_rate: Annotated[float, Field(ge=0, le=1e12)]
    terms: dict[_Name, float]


@with_config(_SHAPE)
class _SelfTaught(TypedDict, total=False):
    texts: _Count
    rounds: _Count
    doubt: _Share


@with_config(_SHAPE)
class _Unsupervised(TypedDict, total=False):
    objective: _Name
    first: bool
    texts: _Count
    judges: _Count
    before: dict[_Name, _Finite | None]
    after: dict[_Name, _Finite | None]
    examples: Annotated[list[Annotated[list[_Note], Field(max_length=2)]], Field(max_length=10)]


@with_config(_SHAPE)
class _Distillation(TypedDict, total=False):
    teachers: _Count
    texts: _Count
    labels: _Count
    alpha: _Share | None
    temperature: Annotated[float, Field(gt=0, le=1e6)]
    held_out: _Count
    agreement: _Share
    held_out_labels: _Count
    accuracy: _Share
    teacher_accuracy: _Share


@with_config(_SHAPE)
class _Soup(TypedDict, total=False):
    members: _Count
    kept: Annotated[list[_Count], Field(max_length=10_000)]
    accuracies: Annotated[list[_Share], Field(max_length=10_000)]
    accuracy: _Share
    texts: _Count


@with_config(_SHAPE)
class _Edit(TypedDict):
    at: _Name
    rules: str | None
    sha256: _Name | None


@with_config(_SHAPE)
class _Stage(TypedDict):
    name: _Name
    epochs: _Count
    held_out_loss: _Finite | None
    accuracy: _Share | None
    macro_f1: _Share | None
    trained: _Share
    kept: bool


@with_config(_SHAPE)
class ReportEntry(TypedDict, total=False):
    """The report in config.json."""

    n_texts: _Count
    n_unlabeled: _Count
    language: _Name
    n_rules: _Count
    n_terms: _Count
    held_out: _Accuracies
    start: _Accuracies
    auto: _Auto
    teaching: _Teaching
    compared: _Compared
    distillation: _Distillation
    soup: _Soup
    phi_scale: _Finite
    psi_scale: _Finite
    scales_moved: bool
    epochs: _Count
    best_epoch: _Count
    self_taught: _SelfTaught
    unsupervised: Annotated[list[_Unsupervised], Field(max_length=100)]
    joint: bool
    stages: Annotated[list[_Stage], Field(max_length=1000)]
    overfitting: _Note
    averaged: bool
    trained_share: dict[Literal["encoder", "without_embeddings"], _Share]
    train_loss: list[float]  # NaN where training failed
    held_out_loss: list[float]
    curves: Annotated[list[_Epoch], Field(max_length=100_000)]
    interrupted: bool
    encoder: _Note
    n_pieces: _Count
    cut_texts: _Share
    thresholds: dict[Literal["texts", "common", "labels_per_text", "without_label"], _Finite]
    settled: dict[_Name, _Setting]
    seconds: dict[_Name, _Seconds]
    seconds_per_text: dict[_Name, _Seconds]
    calibration: _Calibration
    cascade: _Cascade
    rule_tally: _Tallies
    refresh_calibration: bool
    edits: Annotated[list[_Edit], Field(max_length=100_000)]
