"""`rulenet explain`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from rulenet.cli.console import AsJson, out


def explain(
    model: Annotated[Path, typer.Argument(help="Model folder.", metavar="MODEL")],
    texts: Annotated[
        list[str], typer.Argument(help="Texts; - reads one per line from standard input.", metavar="TEXT…")
    ],
    html: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what added up to each prediction: rules, terms, transformer.

    Example: `rulenet explain model/ "Where is my parcel?"`
    """
    from rulenet import RuleNetClassifier, render

    clf = RuleNetClassifier.load(model)
    wanted = [line.rstrip("\n") for line in sys.stdin] if texts == ["-"] else texts
    explanations = clf.explain(wanted)
    if html is not None:
        html.write_text(render.to_page("rulenet: explanations", [e.to_html() for e in explanations]), encoding="utf-8")
    for explanation in explanations:
        if as_json:
            sys.stdout.write(json.dumps(explanation.to_dict(), ensure_ascii=False) + "\n")
        else:
            out.print(render.to_rich(explanation))
            out.print()
