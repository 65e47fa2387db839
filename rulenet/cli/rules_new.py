"""`rulenet rules new`."""

from __future__ import annotations

from enum import Enum
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Annotated

from typer import Argument, Option

from rulenet.cli.console import say
from rulenet.errors import DataError


class Lang(str, Enum):
    """Languages of the starter."""

    en = "en"
    zh = "zh"


def new(
    file: Annotated[Path, Argument(help="The file to write; it must not exist.", metavar="FILE")] = Path("rules.yaml"),
    lang: Annotated[Lang, Option("--lang", help="Language of the rules and their comments.")] = Lang.en,
) -> None:
    """Write a rule file to begin with: a few rules of each kind, with comments that explain them, examples and cases.

    Nothing is overwritten.

    Example: `rulenet rules new support.yaml`
    """
    text = (files("rulenet.cli") / f"starter_{lang.value}.yaml").read_text(encoding="utf-8")
    try:
        with open(file, "x", encoding="utf-8", newline="\n") as handle:
            handle.write(text.replace("FILE", quote(str(file))))
    except FileExistsError:
        raise DataError(f"{file} exists, and nothing is overwritten: give another name") from None
    except OSError as error:
        raise DataError(f"{file} cannot be written: {error.strerror}") from error
    say(f"a rule file to begin with → {file}")
    say(f"next: change it, then run rulenet rules test {quote(str(file))}")
