"""Rule files on disk, with their byte-order mark and line ends. Imports errors, base and the reading of rule files."""

from __future__ import annotations

import os
from pathlib import Path

from rulenet.base.files import write_file
from rulenet.errors import Fault, RuleFileError
from rulenet.rules.file import codes
from rulenet.rules.reading.sources import read_text


def load_text(path: str | os.PathLike[str]) -> str:
    """Read the text of a rule file with its byte-order mark and line ends; a RuleFileError as from `read_text`."""
    read_text(Path(path))
    return Path(path).read_bytes().decode("utf-8")


def save_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file: at any moment it has the old text or the new one. A link stays a link, permissions stay.

    If the file cannot be written, the old one stays and a RuleFileError is raised."""
    try:
        write_file(Path(path), text.encode())
    except OSError as error:
        fault = Fault(codes.UNWRITABLE_FILE, f"cannot be written: {error.strerror}")
        raise RuleFileError(str(path), [fault]) from error
