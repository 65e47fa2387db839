"""`rulenet predict`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

from typer import Argument, Option

from rulenet.cli.console import ON_ENCODING_ERRORS, AsJson, Model, check_file, data_stream, write_json
from rulenet.cli.reading import FIND_OUT, Reading, reads_data
from rulenet.cli.texts import lines_of_stdin
from rulenet.errors import DataError, RuleNetError

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier

BLOCK = 1000


@reads_data
def predict(
    model: Model,
    data: Annotated[str, Argument(help="File of texts; - reads lines from standard input.", metavar="DATA")],
    out: Annotated[Path | None, Option("--out", "-o", help="Write to this file instead of standard output.")] = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Predict labels: csv with label and probability, or with --json one JSON object per line. Files of any length are streamed.

    Example: `rulenet predict model/ new.csv --out labelled.csv`
    """
    from rulenet.data.load import stream
    from rulenet.estimator import RuleNetClassifier

    check_file(out)
    clf = RuleNetClassifier.load(model)
    rows = _predictions(clf, lines_of_stdin(how.encoding) if data == "-" else (row.text for row in stream(data, how)))
    if out is None:
        _write(rows, data_stream(), as_json)
        return
    # Written under another name first, so that an interrupted run leaves no file that looks complete.
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="utf-8", errors=ON_ENCODING_ERRORS, newline="") as handle:
            _write(rows, handle, as_json)
        part.replace(out)
    except RuleNetError:
        raise
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _predictions(clf: RuleNetClassifier, texts: Iterator[str]) -> Iterator[tuple[str, str, float]]:
    while block := list(islice(texts, BLOCK)):
        proba = clf.predict_proba(block)
        best = proba.argmax(axis=1)
        for row, k, p in zip(block, best.tolist(), proba.max(axis=1).tolist(), strict=True):
            yield row, str(clf.classes_[k]), p


def _write(rows: Iterator[tuple[str, str, float]], handle: TextIO, as_json: bool) -> None:
    if as_json:
        for text, label, p in rows:
            write_json({"text": text, "label": label, "proba": round(p, 6)}, handle)
        return
    first = list(islice(rows, 1))  # a source that cannot be read raises its error before the header is written
    writer = csv.writer(handle, lineterminator="\n")
    writer.writerow(["text", "label", "proba"])
    writer.writerows((text, label, f"{p:.4f}") for text, label, p in chain(first, rows))
