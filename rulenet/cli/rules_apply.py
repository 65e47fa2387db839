"""`rulenet rules apply`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from rulenet.cli.console import AsJson, Model, err, print_json, say, say_lines
from rulenet.cli.history import move
from rulenet.cli.reading import FIND_OUT, Reading, read_for, reads_data
from rulenet.errors import ParameterError


@reads_data
def apply(
    model: Model,
    rules: Annotated[Path | None, Argument(help="Rule file; with --refit optional.", metavar="[RULES]")] = None,
    sample: Annotated[str | None, Option(help="Show which predictions change on these texts.", metavar="FILE")] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show what would happen, but write nothing.")] = False,
    undo: Annotated[bool, Option("--undo", help="Undo the latest edit, save or export (up to ten).")] = False,
    redo: Annotated[bool, Option("--redo", help="Undo the latest --undo.")] = False,
    refit: Annotated[str | None, Option(help="phi: learn φ again from --data, in seconds.", metavar="phi")] = None,
    data: Annotated[str | None, Option(help="Labelled texts for --refit.", metavar="FILE")] = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Replace the rules of a saved model without retraining, and show how weights and predictions change.

    A rule with the same label and starting weight keeps its learned weight; any other rule gets its starting weight.

    Example: `rulenet rules apply model/ edited.yaml --sample new.csv --dry-run`
    """
    _check_options(rules, undo=undo, redo=redo, refit=refit, data=data, others=(sample, dry_run))
    if undo or redo:
        move(model, "undo" if undo else "redo", as_json)
        return
    from rulenet.store.manifest import read_config
    from rulenet.workbench.hotedit import apply_rules

    config = read_config(model)
    texts = None if sample is None else read_for(config, sample, how)
    labelled = None if data is None else read_for(config, data, how, need_labels=True)
    if texts is not None and len(texts.texts) > 10_000:
        err.print(f"comparing the predictions on {len(texts.texts):,} texts …")
    edit = apply_rules(model, rules, sample=texts, refit=refit, data=labelled, dry_run=dry_run)
    if as_json:
        print_json(edit.to_dict())
        return
    say_lines(edit.lines())
    if edit.is_written:
        done = f"✓ {model} now has these rules; --undo goes back"
    else:
        done = "nothing was written (--dry-run)" if dry_run else f"{model} already has these rules; nothing was written"
    say()
    say(done)


def _check_options(rules: Any, *, undo: bool, redo: bool, refit: Any, data: Any, others: Iterable[Any]) -> None:
    """Refuse options that cannot be combined."""
    if undo and redo:
        raise ParameterError("--undo and --redo cannot be combined: give one of the two")
    if (undo or redo) and (rules or refit or data or any(others)):
        raise ParameterError(f"{'--undo' if undo else '--redo'} needs only the model: leave out the rest")
    if not (undo or redo) and rules is None and refit is None:
        raise ParameterError("nothing to do: name a rule file, or give --undo, --redo, or --refit phi --data FILE")
    if (refit is None) != (data is None):
        raise ParameterError("--refit phi and --data FILE belong together: give both or neither")
