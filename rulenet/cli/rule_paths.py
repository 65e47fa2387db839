"""What `rulenet rules lint` is pointed at: files, folders, patterns, standard input. Imports errors."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rulenet.base.wording import counted
from rulenet.errors import ParameterError

ENDINGS = (".yaml", ".yml")
STDIN = "standard input"
_MAX_BYTES = 50_000_000
_IS_RULES = re.compile(rb"^\xef?\xbb?\xbf?[\"']?(?:rulenet|rules)[\"']?[ \t]*:", re.M)


@dataclass(frozen=True)
class Found:
    """What was found: the files, in order and each once, and what was passed over and why."""

    files: list[Path]
    searched: frozenset[Path]  # those of folders, which nobody has named
    skipped: list[str]


def find_rule_files(paths: Sequence[str]) -> Found:
    """The rule files that command-line arguments name; - stands for itself.

    In a folder: all that end in .yaml or .yml and have a line `rulenet:` or `rules:`, but no links out of it, and none in hidden folders.
    """
    files: list[Path] = []
    searched: set[Path] = set()
    skipped: list[str] = []
    for path in paths:
        if path != "-" and os.path.isdir(path):
            inside = list(_in_folder(Path(path), skipped))
            if not inside:
                others = f" ({'; '.join(skipped[:3])})" if skipped else ""
                raise ParameterError(
                    f"{path}: no rule file in this folder: none ends in .yaml or .yml and has a line `rulenet:`{others}"
                )
            searched.update(inside)
            files += inside
        elif path != "-" and not os.path.exists(path) and glob.has_magic(path):
            matches = sorted(match for match in glob.glob(path, recursive=True) if not os.path.isdir(match))
            if not matches:
                raise ParameterError(f"{path}: no file matches this pattern")
            files += map(Path, matches)
        else:
            files.append(Path(path))
    return Found(list(dict.fromkeys(files)), frozenset(searched), skipped)


def _in_folder(folder: Path, skipped: list[str]) -> Iterator[Path]:
    root = folder.resolve()
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if name.lower().endswith(ENDINGS)):
            path = Path(above, name)
            if reason := _why_skipped(path, root):
                skipped.append(f"{path}: {reason}")
            else:
                yield path


def _why_skipped(path: Path, root: Path) -> str:
    """Why a file of a folder is not read; empty if it is."""
    if root not in path.resolve().parents:
        return "a link out of the folder"
    if not path.is_file():
        return "not a regular file"
    try:
        with open(path, "rb") as handle:
            return (
                ""
                if _IS_RULES.search(handle.read(_MAX_BYTES))
                else "no rule file, as it has neither `rulenet:` nor `rules:`"
            )
    except OSError:
        return ""  # the linter says why


def read_stdin() -> str:
    """The text of standard input."""
    content = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ParameterError(f"{STDIN} has more than {counted(_MAX_BYTES, 'byte')}; split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{STDIN}: byte {error.start} is not UTF-8; convert it first") from None
