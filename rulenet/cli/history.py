"""`rulenet history`: the states of a model folder, and how to get back to them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, Model, print_json, say, say_lines
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from rulenet.store.manifest import State

DONE = {"save": "trained and saved", "rules": "rules edited", "export": "faster form added", "calibrate": "calibrated"}


def history(
    model: Model,
    undo: Annotated[bool, Option("--undo", help="Go back to the state before.")] = False,
    redo: Annotated[bool, Option("--redo", help="Take back the latest --undo.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the states of a model: when each was saved, what was done, and how to get back to it.

    Training over a model, an edit of its rules, an export and a calibration each add a state; the ten before the present one are kept.

    Example: `rulenet history model/`, or `rulenet history model/ --undo`
    """
    from rulenet.store.manifest import read_config

    if undo and redo:
        raise ParameterError("--undo and --redo cannot be combined: give one of the two")
    if undo or redo:
        move(model, "undo" if undo else "redo", as_json)
        return
    config = read_config(model)
    back, forward = len(config.undo), len(config.redo)
    states = [(i - back, state) for i, state in enumerate([*config.undo, config.state, *reversed(config.redo)])]
    if as_json:
        print_json({"model": str(model.resolve()), "states": [{"at": at, **about(state)} for at, state in states]})
        return
    for at, state in states:
        way = (
            f"{'--undo' if at < 0 else '--redo'}, {counted(abs(at), 'time')}, leads here" if at else "the present state"
        )
        saved = state.saved.replace("T", " ").replace("Z", " UTC") or f"{'time unknown':23}"
        say(f"{saved}  {DONE[state.made_by]:17}  {described(state)}: ", (way, "" if at else "bold"))
    if not back and not forward:
        say("there is nothing to go back to")


def about(state: State) -> dict[str, Any]:
    """A state as plain data, without its parts."""
    report, encoder = state.report, state.encoder
    return {
        "saved": state.saved or None,
        "made_by": state.made_by,
        "rulenet": state.rulenet,
        "language": state.language,
        "labels": state.labels,
        "encoder": encoder.name if encoder else None,
        "has_onnx": "psi.onnx" in state.parts,
        "bytes": sum(part.bytes for part in state.parts.values()),
        "cascade": state.cascade,
        **{
            name: report.get(name)
            for name in ("n_texts", "n_unlabeled", "n_rules", "n_terms", "held_out", "calibration")
        },
    }


def described(state: State) -> str:
    """A state in a few words."""
    found = about(state)
    kinds = {"n_texts": "text", "n_unlabeled": "unlabelled text", "n_rules": "rule", "n_terms": "term"}
    counts = [counted(found[name], what) for name, what in kinds.items() if found[name]]
    parts = [*counts, found["encoder"] or "no transformer"]
    if found["cascade"] != "off":
        parts.append(f"cascade {found['cascade']}")
    return ", ".join([*parts, *(["ONNX"] if found["has_onnx"] else [])])


def kept_line(model: Path) -> str:
    """What has become of the state before, for a command that has just added one; empty if there was none."""
    from rulenet.store.history import KEPT
    from rulenet.store.manifest import read_config

    n = len(read_config(model).undo)
    full = f"; the {KEPT} latest are kept" if n == KEPT else ""
    way = f"`rulenet history {shlex.quote(str(model))} --undo` goes back to it"
    return f"the state before is kept ({counted(n, 'earlier state')}{full}): {way}" if n else ""


def move(model: Path, which: str, as_json: bool) -> None:
    """Undo or redo the latest step, and show how the rules change."""
    from rulenet.store.manifest import read_config
    from rulenet.workbench import hotedit

    diff = (hotedit.undo if which == "undo" else hotedit.redo)(model)
    config = read_config(model)
    back, forward = len(config.undo), len(config.redo)
    if as_json:
        found = {"model": str(model.resolve()), which: True, "undo_left": back, "redo_left": forward}
        print_json({**found, "diff": diff.to_dict()})
        return
    if diff.is_same:
        say("= the rules are the same; the rest is that of the other state")
    else:
        say_lines(diff.lines())
    say()
    say(f"✓ {which} done: {model} has {counted(back, 'step')} to undo and {counted(forward, 'step')} to redo")
