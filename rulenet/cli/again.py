"""The command that was typed, to be typed again. Imports click's context through typer."""

from __future__ import annotations

import shlex
from typing import Any

from typer import Context


def command_again(ctx: Context, *more: str) -> str:
    """The command line as it was typed, in long options and in quotes where necessary, with further options."""
    words = ctx.command_path.split()
    for param in ctx.command.params:
        source = ctx.get_parameter_source(str(param.name))
        if source is None or source.name != "COMMANDLINE":
            continue
        value: Any = ctx.params[str(param.name)]
        values = value if isinstance(value, (list, tuple)) else [value]
        if param.param_type_name == "argument":
            words += map(str, values)
        elif isinstance(value, bool):
            words.append(param.opts[0] if value else param.secondary_opts[0])
        else:
            words += [part for one in values for part in (param.opts[0], str(one))]
    return shlex.join([*words, *(option for option in more if option not in words)])
