"""Draws explain.svg: one prediction of the demo's English model, as `rulenet explain` shows it in a terminal.

`python docs/images/explain.py MODEL` takes a saved model; without MODEL it first trains on the demo's messages (two minutes).
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

from rich.terminal_theme import MONOKAI
from rich.text import Text

from rulenet import RuleNetClassifier
from rulenet.cli.console import out
from rulenet.cli.demo import read_corpus
from rulenet.cli.main import app

TEXT = "The driver left my package in the rain and the box was soaked"
WIDTH = 100
TARGET = Path(__file__).with_suffix(".svg")


def trained(folder: str) -> str:
    """Folder of a model like the one of `rulenet demo`."""
    corpus = read_corpus("en")
    RuleNetClassifier(corpus.rules, "minilm", verbose=1).fit(*corpus.train).save(folder)
    return folder


def draw(model: str) -> str:
    """The terminal as SVG, without the fonts that it would fetch from a server."""
    out.record, out.file, out.width = True, io.StringIO(), WIDTH
    out.print(Text.assemble(("$ ", "green"), (f'rulenet explain model/ "{TEXT}"', "bold")))
    out.print()
    app(["explain", model, TEXT], standalone_mode=False)
    svg = out.export_svg(title="rulenet explain", theme=MONOKAI, unique_id="rulenet")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.S)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        TARGET.write_text(draw(sys.argv[1] if len(sys.argv) > 1 else trained(f"{folder}/model")), encoding="utf-8")
