"""`rulenet search`: recipes are tried for some minutes, and the best one makes a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from rulenet.cli.console import AsJson, Jobs, Seed, new_table, out, print_json, say
from rulenet.cli.reading import FIND_OUT, Reading, reads_data
from rulenet.cli.train import Data, Fields, Limit, Unlabeled, check_replaced, chosen_recipe, keep, read, sources

if TYPE_CHECKING:
    from rulenet.search.search import RuleNetSearch


@reads_data
def search(
    model: Annotated[Path, Option("--out", "--output", "-o", help="Folder for the model.")],
    data: Data = None,
    rules: Annotated[Path | None, Option("--rules", "-r", help="Rule file.")] = None,
    unlabeled: Unlabeled = None,
    encoder: Annotated[str, Option(help="auto, minilm, e5, scratch, a folder, a hub name, or none.")] = "auto",
    language: Annotated[str, Option(help="auto, en or zh.")] = "auto",
    minutes: Annotated[float, Option(help="For all trials and the last fit; the first trial is always made.")] = 20.0,
    trials: Annotated[int | None, Option(help="Most recipes to try. Default: as many as there is time for.")] = None,
    folds: Annotated[int, Option(help="Parts of the texts that are held out in turn.")] = 3,
    scoring: Annotated[str | None, Option(help="accuracy, f1_macro or f1_micro. Default: accuracy.")] = None,
    storage: Annotated[Path | None, Option(help="File that keeps the trials; the same command goes on.")] = None,
    recipe: Annotated[str, Option(help="The recipe to beat: a name of `rulenet recipes`.")] = "default",
    fields: Fields = None,
    seed: Seed = 0,
    limit: Limit = None,
    force: Annotated[bool, Option("--force", help="Replace a model at OUT.")] = False,
    device: Annotated[str, Option(help="auto, cpu or cuda.")] = "auto",
    jobs: Jobs = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Try recipes on labelled texts for some minutes, and train a model by the best one.

    The default is tried first. It stays unless another recipe is better on held-out texts by more than chance.

    Example: `rulenet search reviews.csv --rules rules/imdb.yaml --minutes 20 --storage trials.db --out model/`
    """
    data, rules = sources(data, rules, unlabeled)
    if encoder != "none":
        from rulenet.model.encoders.load import check_encoder

        check_encoder(encoder)
    from rulenet.estimator import RuleNetClassifier
    from rulenet.search.search import RuleNetSearch
    from rulenet.search.storage import checked_path
    from rulenet.training.parameters import check_parameters

    check_replaced(model, None, resume=False, force=force)
    base = chosen_recipe(recipe, fields or [], None)
    clf = RuleNetClassifier(rules, None if encoder == "none" else encoder, language=language, recipe=base)
    clf.set_params(device=device, n_jobs=jobs, random_state=seed, verbose=0 if as_json else 1)
    check_parameters(clf.get_params(deep=False))  # before data are read
    if storage is not None:
        checked_path(storage)
    texts, labels, more = read(data, unlabeled, how, limit=limit, seed=seed)
    limits: dict[str, Any] = {"n_trials": trials, "minutes": minutes, "cv": folds, "scoring": scoring}
    searched = RuleNetSearch(clf, storage=storage, random_state=seed, **limits)
    try:
        searched.fit(texts, labels, unlabeled=more)
    except KeyboardInterrupt:
        kept = "nothing was kept" if storage is None else f"{storage} keeps the trials; the same command goes on"
        raise KeyboardInterrupt(f"interrupted: no model was written, {kept}") from None
    tell(searched, model, as_json)


def tell(searched: RuleNetSearch, model: Path, as_json: bool) -> None:
    """Save the best model, and print what was tried."""
    rows, best = cells(searched.cv_results_), searched.best_estimator_
    if as_json:
        best.save(model)
        shown = {"model": str(model), "trials": rows, "best": searched.best_index_, "ended_by": searched.ended_by_}
        print_json(shown | {"report": best.report_})
        return
    if rows:
        show(rows, searched.best_index_, searched.scoring_)
    keep(best, model, None, None, None, as_json=False)


def cells(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The trials of a search, with what JSON can hold."""
    columns = {"recipe": "recipe", "state": "state", "score": "mean_test_score", "gain": "gain", "error": "gain_error"}
    columns |= {"seconds": "fit_time", "failed": "error"}
    return [
        {name: _plain(results[column][i]) for name, column in columns.items()} for i in range(len(results["recipe"]))
    ]


def show(rows: list[dict[str, Any]], best: int, scoring: str) -> None:
    """Print the trials and which one is the best."""
    table = new_table("recipe", scoring, "gain", "seconds", "", left=1, title="Tried on held-out texts, gain in points")
    for i, row in enumerate(rows):
        score = "–" if row["score"] is None else f"{100 * row['score']:.1f}"
        gain = f"{100 * row['gain']:+.1f} ± {100 * row['error']:.1f}" if row["gain"] is not None and i else ""
        note = "best" if i == best else "" if row["state"] == "complete" else row["state"]
        table.add_row(row["recipe"], score, gain, f"{row['seconds']:.0f}", note)
    out.print(table)
    for row in rows:
        if row["failed"]:
            say(f"{row['recipe']} failed: {row['failed']}")
    if len(rows) > 1 and not best:
        say("no recipe is better than the first by more than chance")


def _plain(value: Any) -> Any:
    """A number or text; None for NaN."""
    return value if isinstance(value, str) else None if value != value else float(value)
