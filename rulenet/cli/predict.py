"""`rulenet predict`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from rulenet.cli.console import AsJson, TextColumn
from rulenet.errors import DataError

BLOCK = 1000


def predict(
    model: Annotated[Path, typer.Argument(help="Model folder.", metavar="MODEL")],
    data: Annotated[
        str, typer.Argument(help="A file of texts; - reads one text per line from standard input.", metavar="DATA")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write here instead of standard output.")] = None,
    text: TextColumn = None,
    as_json: AsJson = False,
) -> None:
    """Label texts: csv with label and probability, or one JSON object a line with --json. Long files stream.

    Example: `rulenet predict model/ new.csv --out labelled.csv`
    """
    from rulenet import RuleNetClassifier
    from rulenet.data import stream

    clf = RuleNetClassifier.load(model)
    texts: Iterable[str] = (line.rstrip("\n") for line in sys.stdin) if data == "-" else stream(data, text=text)
    rows = _predictions(clf, iter(texts))
    if out is None:
        _write(rows, sys.stdout, as_json)
        return
    # Written under another name first: an interrupted run leaves no file that looks complete.
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as handle:
            _write(rows, handle, as_json)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}") from error
    part.replace(out)


def _predictions(clf: object, texts: Iterator[str]) -> Iterator[tuple[str, str, float]]:
    from rulenet import RuleNetClassifier

    assert isinstance(clf, RuleNetClassifier)
    while block := list(islice(texts, BLOCK)):
        proba = clf.predict_proba(block)
        best = proba.argmax(axis=1)
        for row, k, p in zip(block, best.tolist(), proba.max(axis=1).tolist(), strict=True):
            yield row, str(clf.classes_[k]), p


def _write(rows: Iterator[tuple[str, str, float]], handle: object, as_json: bool) -> None:
    write = handle.write  # type: ignore[attr-defined]
    if as_json:
        for text, label, p in rows:
            write(json.dumps({"text": text, "label": label, "proba": round(p, 6)}, ensure_ascii=False) + "\n")
        return
    writer = csv.writer(handle)  # type: ignore[arg-type]
    writer.writerow(["text", "label", "proba"])
    writer.writerows((text, label, f"{p:.4f}") for text, label, p in rows)
