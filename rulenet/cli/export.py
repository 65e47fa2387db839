"""`rulenet export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, print_json, say
from rulenet.cli.history import kept_line
from rulenet.cli.reading import FIND_OUT, Reading, read_for, reads_data


@reads_data
def export(
    model: Annotated[Path, Argument(help="Model folder; the faster form is added to it.", metavar="MODEL")],
    data: Annotated[str | None, Option("--data", "-d", help="Texts to compare on, not those of training.")] = None,
    precision: Annotated[str, Option(help="int8, fp32, or auto: int8 if it is accurate enough.")] = "auto",
    max_loss: Annotated[float, Option(help="Accuracy, or share of predictions, that may be lost.")] = 0.002,
    limit: Annotated[int | None, Option(help="Compare on at most this many rows, taken at random.", min=1)] = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Make a model fast on CPUs: convert its transformer to ONNX, if that costs no accuracy.

    From then on, all commands use the converted form wherever onnxruntime is installed and there is no GPU.

    Example: `rulenet export model/ --data held_out.csv`
    """
    from rulenet.data.targets import class_indices, label_matrix
    from rulenet.estimator import RuleNetClassifier
    from rulenet.model.onnx.export import with_onnx
    from rulenet.store.manifest import read_config
    from rulenet.store.write import save_onnx

    seen = read_config(model)
    clf = RuleNetClassifier.load(model, device="cpu")
    texts, y = None, None
    if data is not None:
        dataset = read_for(clf.predictor_, data, how, limit=limit)
        texts = dataset.texts
        if dataset.labels is not None:
            as_indices = label_matrix if dataset.several else class_indices
            y = as_indices(dataset.labels, clf.classes_.tolist(), data)
    hybrid, report = with_onnx(clf.predictor_.hybrid, texts, y, precision=precision, max_loss=max_loss)
    save_onnx(model, hybrid.psi, seen=seen)
    kept = "" if read_config(model) == seen else kept_line(model)
    if as_json:
        print_json({"model": str(model), **report.to_dict()})
        return
    found = f"{report.changed:.2%} of {counted(report.n_texts, 'prediction')} changed"
    if report.accuracy is not None:
        found += f", accuracy {report.accuracy_before:.2%} → {report.accuracy:.2%}"
    if texts is None:
        found = "compared on random inputs; int8 would be faster, but needs --data"
    say(f"{report.precision}, {report.bytes / 1e6:.0f} MB: {found} → {model}/")
    if kept:
        say(kept)
