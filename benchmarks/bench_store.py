"""Claim: a process killed before any of its system calls that change files loses no model, and a reader never fails while others write.

Killed are: a first save, a save over a model, with a full history, over what other killed writers left, and with an encoder; edits of
the rules, undo, redo, export and `rulenet rules format`. After each kill the old or the new state must load bit for bit, and the next
writer must delete what was left. Then a process loads a model in a loop while another one saves 200 models over each other, with
some steps back and forward between; what it loads must be whole, and be one of them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import RULES, finish

sys.path.insert(0, str(RULES.parent))

from tests.store.killing import format_operation, model_operations, read_during, save_often

MIN_KILLS = 150
SAVES = 200


def main() -> None:
    """Kill, look, count."""
    operations: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for name, operation in [*model_operations(folder, "scratch"), format_operation(folder)]:
            outcome = operation.try_all()
            operations[name] = {
                "kills": outcome.kills,
                "old_state_after": outcome.old,
                "lost": len(outcome.lost),
                "left_by_next_writer": len(outcome.litter),
            }
        save_often(folder / "read", 1)
        start = time.perf_counter()
        reading = read_during(folder / "read", lambda: save_often(folder / "read", SAVES))
        seconds = time.perf_counter() - start
    kills, lost, left = (
        sum(found[name] for found in operations.values()) for name in ("kills", "lost", "left_by_next_writer")
    )
    figures = {
        "kills": kills,
        "lost_models": lost,
        "files_left_by_next_writer": left,
        "operations": operations,
        "reader": {
            "saves": SAVES,
            "seconds": round(seconds, 1),
            "loads": reading.loads,
            "states_seen": reading.states,
            "failures": len(reading.failures),
        },
    }
    claims = {
        f"at least {MIN_KILLS} kills, no model lost": kills >= MIN_KILLS and lost == 0,
        "the next writer deletes all that was left": left == 0,
        f"a reader during {SAVES} saves never fails": not reading.failures and reading.loads > 0,
    }
    finish("store", figures, claims)


if __name__ == "__main__":
    main()
