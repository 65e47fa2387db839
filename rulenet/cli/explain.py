"""`rulenet explain`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from rulenet.cli.console import AsJson, Html, Model, check_file, err, out, write_json, write_page
from rulenet.cli.reading import Encoding
from rulenet.cli.texts import lines_of_stdin
from rulenet.errors import DataError, LabelError

if TYPE_CHECKING:
    from rulenet.explain.result import Contrast
    from rulenet.explain.whatif import WhatIf


def explain(
    model: Model,
    texts: Annotated[list[str], Argument(help="Texts; - reads one text per line from standard input.", metavar="TEXT")],
    records: Annotated[bool, Option("--records", help='Texts are JSON objects: {"title": …, "body": …}.')] = False,
    tokens: Annotated[bool, Option("--tokens", help="Also show which words influence the transformer (slow).")] = False,
    contrast: Annotated[
        str | None, Option(help="Also explain why one label, not the other.", metavar="LABEL,OTHER")
    ] = None,
    what_if: Annotated[bool, Option("--what-if", help="Also show what keeps another label from winning.")] = False,
    encoding: Encoding = None,
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
    from rulenet.explain.result import LEGEND

    check_file(html, models=[model])
    clf = RuleNetClassifier.load(model)
    pair = None if contrast is None else _pair(contrast, clf.classes_.tolist())
    if tokens and not clf.predictor_.hybrid.is_neural:
        err.print("note: this model has no transformer, so --tokens has no effect")
    lines = list(lines_of_stdin(encoding)) if texts == ["-"] else texts
    given = [_record(line) for line in lines] if records else lines
    explanations = clf.explain(given, tokens=tokens, contrast=pair if tokens else None)
    more: list[dict[str, Contrast | WhatIf]] = []
    for explanation in explanations:
        more.append({} if pair is None else {"contrast": explanation.contrast(*pair)})
        if what_if:
            more[-1]["what_if"] = clf.what_if(explanation.text)
    results = [[one, *parts.values()] for one, parts in zip(explanations, more, strict=True)]
    if html is not None:
        cards = [Card(result.blocks()) for result in chain.from_iterable(results)]
        language = clf.predictor_.hybrid.features.language
        write_page(html, writer.page("rulenet: explanations", [LEGEND, *cards], language=language))
    if as_json:
        for explanation, parts in zip(explanations, more, strict=True):
            write_json({**explanation.to_dict(), **{name: part.to_dict() for name, part in parts.items()}}, sys.stdout)
    else:
        for result in chain.from_iterable(results):
            out.print(to_rich(result.blocks()))
            out.print()


def _record(line: str) -> Any:
    """Parse the fields of a record."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not fields or not all(isinstance(part, str) for part in fields.values()):
        example = '{"title": "Refund", "body": "…"}'
        raise DataError(f"--records: {line[:60]!r} is not a JSON object of texts, such as {example}")
    return fields


def _pair(given: str, classes: Sequence[Any]) -> tuple[Any, Any]:
    """Return the two labels of ``LABEL,OTHER``; a label may itself contain a comma."""
    named = {str(label): label for label in classes}
    parts = given.split(",")
    for at in range(1, len(parts)):
        label, other = (",".join(half).strip() for half in (parts[:at], parts[at:]))
        if label in named and other in named and label != other:
            return named[label], named[other]
    raise LabelError(f"--contrast {given!r} must name two labels as LABEL,OTHER; the model has {', '.join(named)}")
