"""rulenet.draw.figures: what is drawn is what the report says, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet.decide.calibration import calibrate
from rulenet.draw import figures
from rulenet.errors import DataError, InputError, MissingExtraError

pytest.importorskip("matplotlib")


@pytest.fixture
def calibration() -> dict[str, Any]:
    """Twenty texts, all with the same margin, three in four of them right."""
    logits = np.tile([[2.0, 0.0]], (20, 1))
    return calibrate(logits, np.array([0, 0, 0, 1] * 5), np.zeros(20, dtype=bool)).summary()


def test_the_diagram_shows_confidence_and_accuracy(calibration: dict[str, Any]) -> None:
    (axes,) = figures.reliability_diagram(calibration).axes
    diagonal, curve = axes.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    ((confidence, accuracy),) = curve.get_xydata().tolist()
    assert (confidence, accuracy) == (calibration["reliability"][0]["confidence"], 0.75)
    assert [bar.get_height() for bar in axes.patches] == [1.0]
    assert axes.get_title("left").startswith("20 held-out texts, mean error ")


def test_the_curve_shows_accuracy_by_coverage(calibration: dict[str, Any]) -> None:
    (axes,) = figures.coverage_curve(calibration).axes
    (curve,) = axes.lines
    assert curve.get_xydata()[-1].tolist() == [1.0, 0.75]
    assert len(curve.get_xydata()) == 10


def test_both_are_written(calibration: dict[str, Any], tmp_path: Path) -> None:
    written = figures.write(calibration, tmp_path / "new")
    assert [path.name for path in written] == ["reliability.svg", "coverage.svg"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["coverage.svg", "reliability.svg"]
    assert all("</svg>" in path.read_text(encoding="utf-8") for path in written)
    figures.save(figures.coverage_curve(calibration), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_written_is_said_and_leaves_nothing(calibration: dict[str, Any], tmp_path: Path) -> None:
    figure = figures.coverage_curve(calibration)
    with pytest.raises(DataError, match=r"curve\.txt cannot be written: .*[Ff]ormat 'txt'"):
        figures.save(figure, tmp_path / "curve.txt")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written: (File exists|Not a directory)"):
        figures.save(figure, tmp_path / "file" / "curve.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_held_out_texts_there_is_nothing_to_draw() -> None:
    for draw in (figures.reliability_diagram, figures.coverage_curve):
        with pytest.raises(InputError, match=r"^there is no calibration to draw: .*calibrate it first$"):
            draw({})


def test_without_matplotlib_the_pip_line_is_named(calibration: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"Drawing figures.*rulenet\[plot\]"):
        figures.coverage_curve(calibration)


def test_matplotlib_is_not_loaded_before_it_draws() -> None:
    code = "import sys, rulenet.draw.figures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
