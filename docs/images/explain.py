"""Draws explain.svg: one prediction of the demo's English model, as `rulenet explain` shows it in a terminal.

`python docs/images/explain.py` draws it again from explain.json, the explanation as `rulenet explain --json` writes it;
`python docs/images/explain.py MODEL` first explains anew with a saved model; if MODEL is `train`, with one that it trains on the demo's
messages (a minute).
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from rulenet import RuleNetClassifier
from rulenet.cli.demo import read_corpus
from rulenet.draw.terminal import to_rich
from rulenet.explain.result import Explanation, Term

TEXT = "The driver left my package in the rain and the box was soaked"
WIDTH = 100
TARGET = Path(__file__).with_suffix(".svg")
KEPT = TARGET.with_suffix(".json")


def explained(model: str) -> str:
    """The explanation as JSON."""
    if model == "train":
        corpus = read_corpus("en")
        clf = RuleNetClassifier(corpus.rules, "minilm", verbose=1).fit(*corpus.train)
    else:
        clf = RuleNetClassifier.load(model)
    return json.dumps(clf.explain([TEXT])[0].to_dict(), ensure_ascii=False, indent=1) + "\n"


def draw(explanation: str) -> str:
    """The terminal as SVG, without the fonts that it would fetch from a server."""
    found = json.loads(explanation)
    found["terms"] = [Term(**term) for term in found["terms"]]
    console = Console(record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "green"), (f'rulenet explain model/ "{TEXT}"', "bold")))
    console.print()
    console.print(to_rich(Explanation(**found).blocks()))
    svg = console.export_svg(title="rulenet explain", theme=MONOKAI, unique_id="rulenet")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.S)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        KEPT.write_text(explained(sys.argv[1]), encoding="utf-8")
    TARGET.write_text(draw(KEPT.read_text(encoding="utf-8")), encoding="utf-8")
