"""Figures of a model's calibration, from `report_["calibration"]`. Imports errors, extras, and matplotlib (extra `plot`) when drawing.

They do not go through pyplot: no global state is touched, no window opens, and no figure has to be closed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rulenet.base.extras import need
from rulenet.base.files import write_file
from rulenet.errors import DataError, InputError

INK, LIGHT = "#1b4965", "#bee3db"


def reliability_diagram(calibration: Mapping[str, Any]) -> Any:
    """A matplotlib figure of how often answers are right, by how sure the model is.

    It is on the diagonal where probabilities are true.

    Parameters
    ----------
    calibration
        `report_["calibration"]` of a fitted classifier.

    Raises
    ------
    InputError
        If the model has no held-out texts with labels.
    """
    rows = _rows(calibration, "reliability")
    figure, axes = _new("confidence", "accuracy")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
    confidence, accuracy = ([row[name] for row in rows] for name in ("confidence", "accuracy"))
    shares = [row["texts"] / calibration["texts"] for row in rows]
    axes.bar(confidence, shares, width=0.04, color=LIGHT, label="share of texts")
    axes.plot(confidence, accuracy, color=INK, marker="o", label="accuracy")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title(f"{calibration['texts']:,} held-out texts, mean error {calibration['ece']:.1%}", loc="left")
    axes.legend(loc="upper left", frameon=False)
    return figure


def coverage_curve(calibration: Mapping[str, Any]) -> Any:
    """A matplotlib figure of the accuracy of the surest answers, by their share; parameters as in `reliability_diagram`."""
    rows = _rows(calibration, "coverage_curve")
    figure, axes = _new("share of texts answered, surest first", "accuracy of the answers")
    axes.plot([row["coverage"] for row in rows], [row["accuracy"] for row in rows], color=INK, marker="o")
    axes.set_xlim(0, 1.02)
    axes.set_title(f"{calibration['texts']:,} held-out texts", loc="left")
    return figure


def write(calibration: Mapping[str, Any], folder: str | os.PathLike[str]) -> list[Path]:
    """Write both figures, as reliability.svg and coverage.svg."""
    figures = {"reliability.svg": reliability_diagram(calibration), "coverage.svg": coverage_curve(calibration)}
    for name, figure in figures.items():
        save(figure, Path(folder) / name)
    return [Path(folder) / name for name in figures]


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure, completely or not at all, in the format of the file name's ending: .png, .svg, .pdf."""
    path, content = Path(path), io.BytesIO()
    try:
        figure.savefig(content, format=path.suffix[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content.getvalue())
    except (OSError, ValueError) as error:  # ValueError: not a format of matplotlib's
        raise DataError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _rows(calibration: Mapping[str, Any], name: str) -> list[Any]:
    if not calibration.get(name):
        why = "the model has no held-out texts with labels; calibrate it first"
        raise InputError(f"there is no calibration to draw: {why}")
    return list(calibration[name])


def _new(x: str, y: str) -> tuple[Any, Any]:
    need("matplotlib", purpose="Drawing figures")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
