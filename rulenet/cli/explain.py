"""`rulenet explain`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rulenet.cli.console import AsJson, Html, Model, check_file, err, out, write_json, write_page
from rulenet.cli.texts import lines_of_stdin
from rulenet.errors import DataError, LabelError

if TYPE_CHECKING:
    from rulenet.explain.result import Contrast
    from rulenet.explain.whatif import WhatIf


def explain(
    model: Model,
    texts: Annotated[
        list[str], typer.Argument(help="Texts; - reads one text per line from standard input.", metavar="TEXT")
    ],
    records: Annotated[
        bool, typer.Option("--records", help='Each text is a JSON object of fields: {"title": …, "body": …}.')
    ] = False,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Also show which words influence the transformer (slow).")
    ] = False,
    contrast: Annotated[
        str | None, typer.Option(help="Also explain why one label rather than another.", metavar="LABEL,OTHER")
    ] = None,
    what_if: Annotated[
        bool, typer.Option("--what-if", help="Also show what would have to be missing for another label.")
    ] = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Show what each prediction is made of: rules, terms and the transformer.

    Example: `rulenet explain model/ "Where is my parcel?" --contrast delivery,billing`
    """
    from rulenet.base.drawing import Card
    from rulenet.draw import html as writer
    from rulenet.draw.terminal import to_rich
    from rulenet.estimator import RuleNetClassifier

    check_file(html)
    clf = RuleNetClassifier.load(model)
    pair = None if contrast is None else _pair(contrast, clf.classes_.tolist())
    if tokens and not clf.predictor_.hybrid.is_neural:
        err.print("note: this model has no transformer, so --tokens has no effect")
    lines = list(lines_of_stdin()) if texts == ["-"] else texts
    given = [_record(line) for line in lines] if records else lines
    explanations = clf.explain(given, tokens=tokens, contrast=pair if tokens else None)
    more: list[list[tuple[str, Contrast | WhatIf]]] = []
    for explanation in explanations:
        shown: list[tuple[str, Contrast | WhatIf]] = []
        if pair is not None:
            shown.append(("contrast", explanation.contrast(*pair)))
        if what_if:
            shown.append(("what_if", clf.what_if(explanation.text)))
        more.append(shown)
    if html is not None:
        results = [
            result
            for explanation, shown in zip(explanations, more, strict=True)
            for result in (explanation, *(part for _, part in shown))
        ]
        write_page(html, writer.page("rulenet: explanations", [Card(result.blocks()) for result in results]))
    for explanation, shown in zip(explanations, more, strict=True):
        if as_json:
            write_json({**explanation.to_dict(), **{name: part.to_dict() for name, part in shown}}, sys.stdout)
        else:
            for result in (explanation, *(part for _, part in shown)):
                out.print(to_rich(result.blocks()))
                out.print()


def _record(line: str) -> Any:
    """Parse the fields of a record.

    Raises
    ------
    DataError
        If the line is not a JSON object of strings.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not fields or not all(isinstance(part, str) for part in fields.values()):
        raise DataError(
            f'--records: {line[:60]!r} is not a JSON object of texts, such as {{"title": "Refund", "body": "…"}}'
        )
    return fields


def _pair(given: str, classes: Sequence[Any]) -> tuple[Any, Any]:
    """Return the two labels of ``LABEL,OTHER``; a label may itself contain a comma.

    Raises
    ------
    LabelError
        If they are not two labels of the model.
    """
    named = {str(label): label for label in classes}
    parts = given.split(",")
    for at in range(1, len(parts)):
        label, other = (",".join(half).strip() for half in (parts[:at], parts[at:]))
        if label in named and other in named and label != other:
            return named[label], named[other]
    raise LabelError(f"--contrast {given!r} must name two labels as LABEL,OTHER; the model has {', '.join(named)}")
