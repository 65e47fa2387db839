"""How a command ends: one message, never a traceback, and an exit status. Imports the console and errors.

Exit status: 0 success · 1 problems found · 2 wrong usage or input, or output that cannot be written · 70 a bug of rulenet ·
130 interrupted · 141 nobody reads the output any more, as in `rulenet … | head`.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

import typer

from rulenet.base.console import printable
from rulenet.cli.console import complain, err
from rulenet.errors import RuleNetError

WRONG = 2
BUG = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130
UNREAD = 141  # what a shell says of a program that SIGPIPE ended
DEBUG = "RULENET_DEBUG"


def ended(error: BaseException) -> int:
    """Print why a command ends, and return its exit status."""
    match error:
        case typer.Exit():
            return int(error.exit_code)
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(bool(error.code))
        case BrokenPipeError():
            _let_go(sys.stdout)
            return UNREAD
        case KeyboardInterrupt():
            complain(str(error) or "interrupted")
            return INTERRUPTED
        case RuleNetError():
            complain(error)
            return WRONG
        case MemoryError():
            complain("there is not enough memory: use fewer or shorter texts, or close other programs")
            return WRONG
        case RecursionError():
            complain("the input is nested too deeply")
            return WRONG
        case OSError():
            complain(_failed(error))
            return WRONG
    if hasattr(error, "format_message"):  # a mistake in the arguments, of whichever click typer uses
        if message := error.format_message():  # if help was shown, there is none
            ending = "" if message.rstrip(".").endswith("?") else "."
            complain(f"{message.rstrip('.')}{ending} See: {_path(error)} --help")
        return WRONG
    for line in "".join(traceback.format_exception(error)).splitlines() if os.environ.get(DEBUG) else ():
        err.print(printable(line), soft_wrap=True)
    complain(f"a bug in rulenet, please report it with what {DEBUG}=1 shows: {type(error).__name__}: {error}")
    return BUG


def flush_errors() -> None:
    """Write out standard error, if that is possible."""
    try:
        sys.stderr.flush()
    except OSError:
        _let_go(sys.stderr)


def _failed(error: OSError) -> str:
    """What could not be read or written, and why."""
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return f"standard input or output failed: {reason}"
    _let_go(sys.stdout)
    return f"standard output cannot be written: {reason}"


def _let_go(stream: Any) -> None:
    """Have the rest of a stream thrown away, as Python would complain about it at the end."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())


def _path(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context is not None else "rulenet"
