"""Pages in a real browser: nothing is cut off on a phone, in light and dark; the screenshots stay in RULENET_SCREENS, if it is set."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.base.drawing import Card
from rulenet.cli.demo import write_report
from rulenet.draw.html import page
from rulenet.explain.result import LEGEND
from rulenet.explain.training_report import TrainingReport
from rulenet.workbench.page import to_html
from rulenet.workbench.stats import rule_stats
from tests.explain.test_training_report import RECIPE, REPORT

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")]

EN = [
    "the parcel of a_very_long_identifier_without_any_break_at_all_that_goes_on_and_on was late",
    "refund my money",
    "late parcel",
]
ZH = ["快递太慢了,包裹三天都没有到", "请退款,钱扣了两次", "包裹又晚了"]
RULES = """rulenet: 1
rules:
  - {id: delivery.late_parcel_with_a_rather_long_name_indeed, label: delivery, word: [parcel, 包裹], note: what people say}
  - {id: billing.refund, label: billing, word: [refund, 退款]}
  - {id: billing.late, label: billing, word: [late, 晚了]}
  - {id: other.everything, label: other, word: [the, 三天]}
  - {id: other.money, label: other, word: [money, 钱, 包裹]}
"""
HEIGHT = 3200
# A frame of the width of a phone, which no window can be, and how much wider its content is.
FRAME = """<!doctype html><html><body style="margin:0"><iframe id=f width={width} height={height} style="border:0"></iframe><script>
f.onload = () => {{ const d = f.contentDocument.documentElement;
  const inner = [...d.querySelectorAll(".scroll:not(:has(table.grid))")].map(e => e.scrollWidth - e.clientWidth);
  document.title = Math.max(d.scrollWidth - d.clientWidth, ...inner); }};
f.srcdoc = {page};</script></body></html>"""


def pages(language: str, folder: Path) -> dict[str, str]:
    """An explanation, statistics and the demo's report, as commands write them."""
    texts = EN if language == "en" else ZH
    labels = ["delivery", "billing", "delivery"]
    clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None, language=language, recipe=Recipe.of(min_df=1))
    with pytest.warns(UserWarning, match="no text has the label 'other'"):
        clf.fit(texts * 4, labels * 4)
    explained = clf.explain([*texts, texts[0] * 60])
    cards = [Card(e.blocks()) for e in explained]
    stats = rule_stats(
        RuleSet.from_yaml(RULES.replace("rulenet: 1", f"rulenet: 1\nlanguage: {language}")), texts * 9, labels * 9
    )
    results = [{"data": f"English, {name}", "train": 300, "test": 150, **dict.fromkeys("abc", 0.9)} for name in "AB"]
    write_report(folder / "report.html", results, explained[:2], explained[2], explained[0], explained[1])
    return {
        "demo": (folder / "report.html").read_text(encoding="utf-8"),
        "explain": page("rulenet: explanations", [LEGEND, *cards], language=language),
        "stats": to_html(stats),
        "training": TrainingReport.of(REPORT, RECIPE).to_page(),
    }


def overflow(source: str, name: str, width: int, folder: Path, *, dark: bool = False) -> int:
    """Pixels by which a page is wider than a window; its picture is taken too."""
    import json

    frame = folder / f"{name}.html"
    frame.write_text(
        FRAME.format(width=width, height=HEIGHT, page=json.dumps(source).replace("<", "\\u003c")), encoding="utf-8"
    )
    options = [
        str(BROWSER),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--window-size={max(width, 500)},{HEIGHT}",
    ]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    subprocess.run(
        [*options, f"--screenshot={folder / name}.png", frame.as_uri()], check=True, capture_output=True, timeout=120
    )
    found = subprocess.run(
        [*options, "--dump-dom", frame.as_uri()], check=True, capture_output=True, timeout=120, text=True
    )
    title = re.search(r"<title>(-?\d+)</title>", found.stdout)
    assert title, name
    return int(title[1])


def test_nothing_is_cut_off(tmp_path: Path) -> None:
    folder = Path(os.environ.get("RULENET_SCREENS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    for language in ("en", "zh"):
        for kind, source in pages(language, tmp_path).items():
            assert f'<html lang="{"en" if kind in ("demo", "training") else language}">' in source
            assert kind != "demo" or source.count('<section class="card" lang="zh">') == 1
            for width, dark in ((1280, False), (390, False), (390, True)):
                name = f"{kind}-{language}-{width}{'-dark' if dark else ''}"
                assert overflow(source, name, width, folder, dark=dark) <= 0, name
    assert (
        overflow("<!doctype html><div style='width:600px'>x</div>", "too-wide", 390, tmp_path) > 100
    )  # so it would be seen
