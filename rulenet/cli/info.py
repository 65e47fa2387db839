"""`rulenet info`: what a model folder says of itself."""

from __future__ import annotations

from typing import Any, cast

from rulenet.base.wording import counted, some
from rulenet.cli.console import AsJson, Model, print_json, say
from rulenet.cli.history import DONE, about
from rulenet.cli.train import calibration_lines, cascade_lines


def info(model: Model, as_json: AsJson = False) -> None:
    """Show what a model is: its labels, what it was trained on, how good it was, how sure it can be, and how large it is.

    Reads the description alone, not the model: `rulenet predict` checks the rest.

    Example: `rulenet info model/`
    """
    from rulenet.store.manifest import read_config

    config = read_config(model)
    found = about(config.state) | {"undo": len(config.undo), "redo": len(config.redo)}
    found |= {"is_stale": config.held_out is not None and config.held_out.is_stale, "recipe": config.recipe}
    if as_json:
        print_json({"model": str(model.resolve()), **found})
        return
    report = cast("dict[str, Any]", config.report)
    trained = counted(found["n_texts"] or 0, "labelled text")
    if found["n_unlabeled"]:
        trained += f" and {counted(found['n_unlabeled'], 'text without a label', 'texts without a label')}"
    psi = "no transformer (φ alone)"
    if config.encoder is not None:
        psi = f"{config.encoder.name}, at most {config.encoder.max_length} word pieces"
        psi += f", of {pieces:,} kinds" if (pieces := report.get("n_pieces")) else ""
        psi += ", in bfloat16" if found["recipe"]["steps"].get("precision") == "bfloat16" else ""
        psi += ", also in a faster form (ONNX)" if found["has_onnx"] else ""
        psi += "; silent: φ alone was better on the held-out texts" if config.psi_scale == 0 else ""
    lines = {
        "labels": f"{len(config.labels)}: {some([str(label) for label in config.labels], 12)}",
        "language": config.language,
        "φ": f"{counted(found['n_rules'] or 0, 'rule')}, {counted(found['n_terms'] or 0, 'term')}",
        "ψ": psi,
        "trained on": trained,
        **_held_out(report.get("held_out") or {}, several=config.several is not None),
        **_made_of(report),
        "saved": f"{config.saved or 'time unknown'}, {DONE[config.made_by]}, by rulenet {config.rulenet}",
        "size": f"{found['bytes'] / 1e6:.1f} MB" if found["bytes"] >= 1e6 else f"{found['bytes'] / 1e3:.1f} kB",
        "history": f"{counted(found['undo'], 'earlier state')}, {found['redo']} undone; see rulenet history",
    }
    for name, line in lines.items():
        say((f"{name:<10}", "bold"), f"  {line}")
    calibration, cascade = report.get("calibration") or {}, report.get("cascade")
    policy = [*calibration_lines(calibration), *cascade_lines(cascade)] if cascade else []
    for line in policy:
        say(line)
    if found["is_stale"]:
        say("the rules have changed since probabilities were fitted: rulenet calibrate fits them again")


def _held_out(accuracy: dict[str, float], *, several: bool) -> dict[str, str]:
    if not accuracy:
        return {}
    names = {"phi": "φ", "psi": "ψ", "hybrid": "φ + ψ"}
    shares = ", ".join(f"{shown} {accuracy[name]:.1%}" for name, shown in names.items())
    return {"all right" if several else "accuracy": f"{shares} on {counted(int(accuracy['texts']), 'held-out text')}"}


def _made_of(report: dict[str, Any]) -> dict[str, str]:
    """Of a model made from others, how."""
    if about := report.get("distillation"):
        agreement = (
            f"agrees with {about['agreement']:.1%} of its answers, on {counted(about['held_out'], 'held-out text')}"
        )
        return {"taught by": f"{counted(about['teachers'], 'teacher')}: {agreement}"}
    if about := report.get("soup"):
        return {"soup of": f"{len(about['kept'])} of {counted(about['members'], 'model')}"}
    return {}
