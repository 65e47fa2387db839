"""`rulenet rules apply`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, LabelColumn, TextColumn, err, out, print_json
from rulenet.errors import DataError, ParameterError

if TYPE_CHECKING:
    from rulenet.data.load import Dataset

_STYLES = {"+": "green", "-": "red", "~": "yellow"}


def apply(
    model: Annotated[Path, typer.Argument(help="Model folder.", metavar="MODEL")],
    rules: Annotated[
        Path | None,
        typer.Argument(help="A rule file; with --refit it may be left out: the model's own rules.", metavar="[RULES]"),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(help="Texts on which to show the answers that change; .txt: one a line.", metavar="FILE"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen; write nothing.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the latest edit, bit for bit; up to ten in a row.")
    ] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Take back the latest --undo.")] = False,
    refit: Annotated[
        str | None,
        typer.Option(help="phi: learn the weights of rules and terms again from --data, in seconds.", metavar="phi"),
    ] = None,
    data: Annotated[str | None, typer.Option(help="Labelled texts for --refit.", metavar="FILE")] = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Give a saved model other rules, without retraining; show what becomes of each weight and which answers change.

    A rule whose label and starting weight are the same keeps its learned weight; a new one starts at its author's.

    Example: `rulenet rules apply model/ edited.yaml --sample new.csv --dry-run`
    """
    _check_options(rules, undo=undo, redo=redo, refit=refit, data=data, others=(sample, dry_run))
    if undo or redo:
        _step(model, "undo" if undo else "redo", as_json)
        return
    from rulenet.data.load import load
    from rulenet.workbench.hotedit import apply_rules

    texts = None if sample is None else read_texts(sample, text, label)
    labelled = None if data is None else load(data, text=text, label=label)
    if texts is not None and len(texts.texts) > 10_000:
        err.print(f"comparing the answers on {len(texts.texts):,} texts …")
    edit = apply_rules(model, rules or model / "rules.yaml", sample=texts, refit=refit, data=labelled, dry_run=dry_run)
    if as_json:
        print_json(edit.to_dict())
        return
    show(edit.lines())
    if edit.is_written:
        done = f"✓ {model} has these rules now; --undo takes it back"
    else:
        done = "nothing was written (--dry-run)" if dry_run else f"{model} has these rules already; nothing was written"
    out.print(Text(f"\n{done}"), soft_wrap=True)


def _check_options(rules: Any, *, undo: bool, redo: bool, refit: Any, data: Any, others: Iterable[Any]) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    ParameterError
        Saying which.
    """
    if undo and redo:
        raise ParameterError("--undo and --redo: give one of the two")
    if (undo or redo) and (rules or refit or data or any(others)):
        raise ParameterError(f"{'--undo' if undo else '--redo'} takes the model only")
    if not (undo or redo) and rules is None and refit is None:
        raise ParameterError("name a rule file, or give --undo, --redo, or --refit phi --data FILE")
    if (refit is None) != (data is None):
        raise ParameterError("--refit phi and --data FILE go together; give both or neither")


def _step(model: Path, which: str, as_json: bool) -> None:
    from rulenet.store import history
    from rulenet.workbench import hotedit

    diff = (hotedit.undo if which == "undo" else hotedit.redo)(model)
    back, forward = history.steps(model.resolve())
    if as_json:
        print_json(
            {
                "model": str(model.resolve()),
                which: True,
                "undo_left": back,
                "redo_left": forward,
                "diff": diff.to_dict(),
            }
        )
        return
    if diff.is_same:
        out.print("= the rules say the same; the weights are those of that state")
    else:
        show(diff.lines())
    out.print(Text(f"\n✓ {which} done: {model} can go {back} back and {forward} forward"), soft_wrap=True)


def show(lines: Iterable[str]) -> None:
    """Lines of a report, coloured by their first character; never read as markup."""
    for line in lines:
        out.print(Text(line, _STYLES.get(line[:1], "")), soft_wrap=True)


def read_texts(source: str, text: str | None, label: str | None) -> Dataset:
    """Texts of a file, with labels if it has them; of a .txt file its lines.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    from rulenet.data.load import Dataset, load

    if not source.endswith(".txt"):
        return load(source, text=text, label=label, need_labels=False)
    try:
        lines = Path(source).read_bytes().decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n").split("\n")
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    found = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    return Dataset([line for _, line in found], None, source, [number for number, _ in found])
