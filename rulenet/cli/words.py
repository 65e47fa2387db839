"""Messages of the library in words of the command line: its options instead of Python's arguments. Imports nothing."""

from __future__ import annotations

import re

_SAME = "cascade coverage device encoder into language limit minutes precision recipe refit reject rules split temperature unlabeled"
OPTIONS = {
    **{name: f"--{name}" for name in _SAME.split()},
    **{"cascade_risk": "--cascade-risk", "max_loss": "--max-loss", "held_out": "--held-out"},
    **{"n_jobs": "--jobs", "random_state": "--seed", "n_trials": "--trials", "cv": "--folds"},
    **{"scoring": "--scoring", "storage": "--storage"},
}
_ARGUMENT = rf"(?<![\w.-])({'|'.join(OPTIONS)})=('[^']*'|[\w.+-]+|…)"


def in_words_of_the_command_line(message: str) -> str:
    """Name options instead of arguments.

    Examples
    --------
    >>> in_words_of_the_command_line("device='tpu' is not 'cpu'; n_jobs=0, encoder=None, with rules=…")
    "--device tpu is not 'cpu'; --jobs 0, --encoder none, with --rules …"
    """
    if message.startswith("recipe: "):  # whose fields --set takes by their names
        return message
    return re.sub(_ARGUMENT, lambda found: f"{OPTIONS[found[1]]} {_value(found[2])}", message)


def _value(value: str) -> str:
    return "none" if value == "None" else value.strip("'")
