"""Repeat an action whenever a file is saved. Imports the console, extras and wording."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from rulenet.base.extras import need
from rulenet.base.wording import counted
from rulenet.cli.console import out, say

SETTLE = 200  # milliseconds without changes after a save, because editors write in several steps


def rerun_on_save(file: Path, action: Callable[[], Collection[Path]]) -> None:
    """Call `action` now and after every save, until Ctrl-C.

    It returns further files to watch, or nothing to watch the same files as before.
    """
    watchfiles = need("watchfiles", purpose="rulenet rules test --watch")
    files = {file.resolve()}

    def is_ours(_: Any, path: str) -> bool:
        return Path(path) in files

    def run() -> set[Path]:
        """Run once and return the folders to watch: most editors replace a file, which cannot be seen by watching the file itself."""
        out.clear()
        if found := action():
            files.clear()
            files.update((file.resolve(), *(path.resolve() for path in found)))
        now = datetime.datetime.now().strftime("%H:%M:%S")
        say((f"{now} · watching {counted(len(files), 'file')} for changes; press Ctrl-C to stop", "dim"))
        return {path.parent for path in files}

    try:
        folders = run()
        while True:
            for _ in watchfiles.watch(*folders, watch_filter=is_ours, recursive=False, debounce=SETTLE):
                before, folders = folders, run()
                if folders != before:
                    break
            else:
                return
    except KeyboardInterrupt:
        return
