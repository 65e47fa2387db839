"""Figures of a model's calibration, from `report_["calibration"]`. Imports errors, extras, and matplotlib (extra `plot`) when drawing.

They do not go through pyplot: no global state is touched, no window opens, and no figure has to be closed.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rulenet.base.extras import need
from rulenet.errors import DataError, InputError

INK, LIGHT = "#1b4965", "#bee3db"


def reliability_diagram(calibration: Mapping[str, Any]) -> Any:
    """How often answers are right, by how sure the model is; on the diagonal where its probabilities are true.

    Parameters
    ----------
    calibration
        `report_["calibration"]` of a fitted classifier.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If the model has no held-out texts with labels.
    MissingExtraError
        If matplotlib is not installed.
    """
    rows = _rows(calibration, "reliability")
    figure, axes = _new("confidence", "accuracy")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
    confidence, accuracy = ([row[name] for row in rows] for name in ("confidence", "accuracy"))
    axes.bar(
        confidence,
        [row["texts"] / calibration["texts"] for row in rows],
        width=0.04,
        color=LIGHT,
        label="share of texts",
    )
    axes.plot(confidence, accuracy, color=INK, marker="o", label="accuracy")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title(f"{calibration['texts']:,} held-out texts, mean error {calibration['ece']:.1%}", loc="left")
    axes.legend(loc="upper left", frameon=False)
    return figure


def coverage_curve(calibration: Mapping[str, Any]) -> Any:
    """Accuracy when only the surest answers are given, by the share that is given.

    Parameters
    ----------
    calibration
        `report_["calibration"]` of a fitted classifier.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If the model has no held-out texts with labels.
    MissingExtraError
        If matplotlib is not installed.
    """
    rows = _rows(calibration, "coverage_curve")
    figure, axes = _new("share of texts answered, surest first", "accuracy of the answers")
    axes.plot([row["coverage"] for row in rows], [row["accuracy"] for row in rows], color=INK, marker="o")
    axes.set_xlim(0, 1.02)
    axes.set_title(f"{calibration['texts']:,} held-out texts", loc="left")
    return figure


def write(calibration: Mapping[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
    """Write both figures, as reliability.svg and coverage.svg.

    Raises
    ------
    DataError
        If the folder cannot be written.
    """
    figures = {"reliability.svg": reliability_diagram(calibration), "coverage.svg": coverage_curve(calibration)}
    for name, figure in figures.items():
        save(figure, Path(folder) / name)
    return [Path(folder) / name for name in figures]


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure, completely or not at all, in the format of the file name's ending: .png, .svg, .pdf.

    Raises
    ------
    DataError
        If the ending is not that of a format, or the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            figure.savefig(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: not a format of matplotlib's
        raise DataError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _rows(calibration: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    if not calibration.get(name):
        raise InputError(
            "there is no calibration to draw: the model has no held-out texts with labels; call calibrate(texts, labels) first"
        )
    rows: list[dict[str, Any]] = calibration[name]
    return rows


def _new(x: str, y: str) -> tuple[Any, Any]:
    need("matplotlib", purpose="Drawing figures")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
