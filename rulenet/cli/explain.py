"""`rulenet explain`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rulenet.cli.console import AsJson, check_file, lines_of_stdin, out, write_json, write_page


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
    from rulenet import render
    from rulenet.estimator import RuleNetClassifier

    if html is not None:
        check_file(html)
    clf = RuleNetClassifier.load(model)
    explanations = clf.explain(list(lines_of_stdin()) if texts == ["-"] else texts)
    if html is not None:
        write_page(html, render.to_page("rulenet: explanations", [e.to_html() for e in explanations]))
    for explanation in explanations:
        if as_json:
            write_json(explanation.to_dict(), sys.stdout)
        else:
            out.print(render.to_rich(explanation))
            out.print()
