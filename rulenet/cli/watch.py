"""Run something again whenever a file is saved. Imports the console and extras."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from rich.text import Text

from rulenet.base.extras import need
from rulenet.cli.console import out

SETTLE = 200  # milliseconds of quiet after a save: editors write in several steps


def rerun_on_save(file: Path, action: Callable[[], Collection[Path]]) -> None:
    """Call `action` now and after every save, until Ctrl-C.

    Parameters
    ----------
    file
        Always waited for.
    action
        Returns the files to wait for beside it; empty: the same as before.

    Raises
    ------
    MissingExtraError
        If the extra ``watch`` is not installed.
    """
    watchfiles = need("watchfiles", purpose="rulenet rules test --watch")
    files = {file.resolve()}

    def is_ours(_: Any, path: str) -> bool:
        return Path(path) in files

    def run() -> set[Path]:
        """Run once; the folders to watch. Most editors save by replacing the file, which the file alone would not tell."""
        out.clear()
        if found := action():
            files.clear()
            files.update((file.resolve(), *(path.resolve() for path in found)))
        now = datetime.datetime.now().strftime("%H:%M:%S")
        out.print(
            Text(f"{now} · waiting for {len(files)} file{'s' * (len(files) != 1)} to be saved; Ctrl-C ends", "dim")
        )
        return {path.parent for path in files}

    try:
        folders = run()
        while True:
            options = {"watch_filter": is_ours, "recursive": False, "debounce": SETTLE}
            for _ in watchfiles.watch(*folders, **options):
                before, folders = folders, run()
                if folders != before:
                    break
            else:
                return
    except KeyboardInterrupt:
        return
