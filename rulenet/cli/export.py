"""`rulenet export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rulenet.cli.console import AsJson, LabelColumn, Split, TextColumn, out, print_json
from rulenet.errors import DataError

if TYPE_CHECKING:
    from rulenet.data.load import Dataset


def export(
    model: Annotated[Path, typer.Argument(help="Model folder; the faster form is added to it.", metavar="MODEL")],
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="Texts to compare on, with labels or without: not the training texts."),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="int8 (fastest; needs --data), fp32, or auto: int8 unless that costs too much.")
    ] = "auto",
    max_loss: Annotated[
        float, typer.Option(help="Accuracy that may be lost, or without labels answers that may change, as a share.")
    ] = 0.002,
    limit: Annotated[
        int | None, typer.Option(help="Compare on so many rows, from the start of the file.", min=1)
    ] = None,
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Make a model fast on a CPU: its neural part for ONNX Runtime, if that costs no accuracy.

    From then on `predict` and all else use it wherever onnxruntime is installed and there is no GPU.

    Example: `rulenet export model/ --data held_out.csv`
    """
    from rulenet.data.load import load
    from rulenet.estimator import RuleNetClassifier
    from rulenet.model.onnx.export import with_onnx

    clf = RuleNetClassifier.load(model, device="cpu")
    texts, y = None, None
    if data is not None:
        dataset = load(data, text=text, label=label, split=split, limit=limit, need_labels=False)
        texts, y = dataset.texts, _class_indices(dataset, clf.classes_, data)
    hybrid, report = with_onnx(clf.predictor_.hybrid, texts, y, precision=precision, max_loss=max_loss)
    clf.predictor_ = clf.predictor_.with_hybrid(hybrid)
    clf.save(model)
    if as_json:
        print_json({"model": str(model), **report.to_dict()})
        return
    found = f"{report.changed:.2%} of {report.n_texts:,} answers changed"
    if report.accuracy is not None:
        found += f", accuracy {report.accuracy_before:.2%} → {report.accuracy:.2%}"
    if texts is None:
        found = "compared on random inputs; int8 would be faster, and needs --data"
    size = f"{report.bytes / 1e6:.0f} MB"
    out.print(f"{report.precision}, {size}: {found} → {model}/", soft_wrap=True, markup=False)


def _class_indices(dataset: Dataset, classes: Any, source: str) -> Any:
    """Index of each label among the model's classes; None for texts without labels."""
    if dataset.labels is None:
        return None
    import numpy as np

    index = {str(name): i for i, name in enumerate(classes.tolist())}
    unknown = sorted(set(dataset.labels) - index.keys())
    if unknown:
        raise DataError(
            f"{source} has labels that the model does not know: {', '.join(map(repr, unknown[:5]))}; it knows {', '.join(map(repr, index))}"
        )
    return np.array([index[label] for label in dataset.labels])
