"""The command line. From here on Ctrl-C shows no traceback, even while the rest is imported. Imports only the standard library."""

from __future__ import annotations

import sys
from types import TracebackType

_before = sys.excepthook


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("error: interrupted\n")  # Python then ends the process as the signal would: status 130
    else:
        _before(kind, error, trace)


sys.excepthook = _hook
