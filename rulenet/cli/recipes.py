"""`rulenet recipes`: the recipes that have a name, and what each changes."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Argument, Option

from rulenet.cli.console import AsJson, new_table, out, print_json, say


def recipes(
    name: Annotated[str | None, Argument(help="One of the recipes; none: a list of all.", metavar="NAME")] = None,
    every: Annotated[bool, Option("--all", help="Show the fields that are as in the default, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the recipes that have a name, or show what one of them changes and what these fields do.

    `rulenet train --recipe NAME` trains by one, and `--set FIELD=VALUE` changes a field of it.

    Example: `rulenet recipes lora`
    """
    from rulenet.training.recipes import NAMED, changes, named

    if name is None:
        if as_json:
            fields = {one.name: {c.field: _plain(c.value) for c in changes(one.recipe, every=every)} for one in NAMED}
            print_json([{"name": one.name, "why": one.why, "fields": fields[one.name]} for one in NAMED])
            return
        table = new_table("recipe", "what it is for", left=2)
        for one in NAMED:
            table.add_row(one.name, one.why)
        out.print(table)
        return
    found = changes(named(name), every=every)
    why = next(one.why for one in NAMED if one.name == name)
    if as_json:
        rows = [vars(change) | {"default": _plain(change.default), "value": _plain(change.value)} for change in found]
        print_json({"name": name, "why": why, "fields": rows})
        return
    say((name, "bold"), f": {why}")
    if not found:
        say("no field differs from its default; --all shows them all")
        return
    table = new_table("field", "default", "here", "what it does", left=4)
    for change in found:
        table.add_row(change.field, _shown(change.default), _shown(change.value), change.does)
    out.print(table)


def _shown(value: Any) -> str:
    return "auto" if value is None else value if isinstance(value, str) else repr(value)


def _plain(value: Any) -> Any:
    """For JSON: a part as `--set` takes it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int | float | str | None) else repr(value)
