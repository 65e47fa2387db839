"""Every command with foreign text from every origin: nothing in what it prints steers the terminal, and it never ends in a traceback."""

from __future__ import annotations

import csv
import json
import re
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from rich.color import ColorSystem
from typer.testing import CliRunner

from rulenet import RuleNetClassifier, RuleSet
from rulenet.cli import console
from rulenet.cli.main import app
from tests.store.folders import config_of, write_config

# Colour, a window's title, clearing the screen by a C1 code, right-to-left, invisible, back, a line of its own, markup, emoji code.
EVIL = "\x1b[38;5;123m\x1b]0;t\x07\x9b2J\u202e\u200b\x08\u2028\u061c\ufeff\x7f[bold][/x]:bug:"
NAME = EVIL.replace("/", "")  # of a file
LABELS = [f"{EVIL}ham", f"{EVIL}spam\nerror: forged"]
TEXTS = [f"good{EVIL} film\r\nto see", f"bad{EVIL} film"]
COLUMNS = [f"text{EVIL}", f"label{EVIL}"]

# Words of a command line, in which {} names stand for what `world` makes; {e} is the foreign text itself.
DATA = "--text {text} --label {label}"
TRAIN = "--encoder none --out {out}"
RUNS: dict[str, list[str]] = {
    "demo": ["--report {e}/no", "--{e}"],
    "train": [
        *(f"{{data}} {DATA} {TRAIN}", f"{{data}} {DATA} --rules {{rules}} {TRAIN}", f"{{data}} --text {{e}} {TRAIN}"),
        *(f"{{data}} {DATA} --rules {{faulty}} {TRAIN}", f"{{data}} {DATA} --encoder {{e}} --out {{out}}"),
        *(f"{{data}} --language {{e}} {TRAIN}", f"{{data}} --epochs {{e}} {TRAIN}", f"{{e}}.csv {TRAIN}"),
        *(f"{{data}} --split {{e}} {TRAIN}", "{data} --encoder none --out {data}", "{data} --out {e}/{e}/{e}"),
        *(f"{{rules}} --unlabeled {{data}} {DATA} {TRAIN}", f"{{data}} --recipe {{e}} {TRAIN}"),
        *(f"{{data}} --set {{e}} {TRAIN}", f"{{data}} --set tune={{e}}(r=1) {TRAIN}", f"{{data}} --set C={{e}} {TRAIN}"),
    ],
    "recipes": ["", "lora", "{e}", "lora --json"],
    "search": [
        *(f"{{data}} {DATA} {TRAIN} --storage {{data}}", f"{{data}} {DATA} {TRAIN} --storage {{e}}/{{e}}", f"{{data}} {DATA} {TRAIN}"),
        *(f"{{data}} {DATA} {TRAIN} --scoring {{e}}", f"{{data}} --recipe {{e}} {TRAIN}", f"{{e}}.csv {TRAIN}"),
    ],
    "distill": [
        *(f"{{model}} {{data}} {DATA} --output {{out}}", "{e} {data} --output {out}", "{model} {e} --output {e}/{e}"),
        *("{forged} {data} --output {out}", f"{{model}} {{data}} {DATA} --set {{e}} --output {{out}}"),
        f"{{model}} {{data}} {DATA} --beside {{e}} --output {{out}}",
    ],
    "predict": [
        *("{model} {data} --json --text {text}", "{model} {data}", "{model} {e}.csv", "{e} {data}", "{forged} {data}"),
        *("{model} {data} --out {e}/{e}", "{broken} {data}", "{model} {data} --text {e}"),
        *("{rules} {data} --text {text}", "{faulty} {data}", "{model} {data} --text {text} --uncertain 3", "{model} {data} --prefix {e}"),
    ],
    "suggest-labels": [
        *("{model} {data} --text {text} --n 1", "{rules} {data} --text {text} --json", "{model} {data} --labeled {e}", "{e} {data}"),
        *(f"{{model}} {{data}} {DATA} --labeled {{data}}", "{model} {data} --text {text} --out {e}/{e}", "{model} {data} --encoder {e}"),
    ],
    "evaluate": [
        *(f"{{model}} {{data}} {DATA}", f"{{model}} {{data}} {DATA} --json", f"{{model}} {{other}} {DATA}"),
        *(f"{{forged}} {{data}} {DATA}", "{model} {rules}", "{model} {data}"),
    ],
    "explain": [
        *("{model} {e} --what-if", "{model} {e} --json", "{model} {e} --contrast {e},{e}", "{model} -"),
        *("{model} {e} --contrast {pair}", "{model} {e} --records", "{model} {e} --html {e}/{e}", "{model} {e} --tokens"),
    ],
    "history": ["{model}", "{model} --json", "{model} --undo", "{model} --redo", "{e}", "{forged}"],
    "info": ["{model}", "{model} --json", "{e}", "{forged}", "{broken}"],
    "calibrate": [
        *(f"{{model}} --data {{data}} {DATA}", f"{{model}} --data {{other}} {DATA}", "{model} --cascade {e}"),
        *("{e} --data {e}", "{forged} --data {data}", "{model} --cascade-risk {e}"),
    ],
    "export": ["{model}", "{e}", "{model} --data {data}", "{model} --precision {e}", "{forged}"],
    "rules lint": [
        "{rules} --hints", "{rules} --json", "{faulty}", "{faulty} --json", "{faulty} --fix", "{e}", "{yaml} {empty}",
        "{include}",
    ],
    "rules new": ["{out}", "{rules}", "{out} --lang {e}", "{e}/{e}"],
    "rules test": ["{rules}", "{rules} --json", "{rules} --rule {e}", "{faulty}", "{e}"],
    "rules format": ["{rules} --diff", "{rules} --check", "{faulty}", "{e}", "{yaml} --json"],
    "rules stats": [
        *(f"{{rules}} --data {{data}} {DATA}", f"--data {{data}} {DATA} --model {{model}} --baseline {{model}}"),
        *(f"{{rules}} --data {{data}} {DATA} --json", "{rules} --data {e}", "{rules} --data {data} --sort {e}"),
        *("{faulty} --data {data}", f"{{rules}} --data {{data}} {DATA} --baseline {{e}}", "--data {data} --model {forged}"),
        f"{{rules}} --data {{data}} {DATA} --baseline {{data}}",
    ],
    "rules suggest": [f"{{rules}} --data {{data}} {DATA}", "{e} --data {e}", "{faulty} --data {data}"],
    "rules apply": [
        *("{model} {edited} --dry-run", f"{{model}} {{edited}} --sample {{data}} {DATA}", "{model} --undo"),
        *("{model} --redo", f"{{model}} --refit phi --data {{data}} {DATA}", "{model} {faulty}", "{model} --refit {e} --data {e}"),
        *("{e} {rules}", "{forged} {rules}"),
    ],
    "rules diff": ["{rules} {edited}", f"{{rules}} {{edited}} --data {{data}} {DATA} --model {{model}}", "{e} {e}", "{rules} {faulty}"],
    "rules schema": ["", "{e}"],
    "": ["{e}", "--{e}"],
    "rules": ["{e}"],
}  # fmt: skip


def commands() -> Iterator[str]:
    """Names of all commands."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield from (f"{name} {inner}" for inner in command.commands) if hasattr(command, "commands") else (name,)


def rules(weight: float) -> str:
    """Rules in which everything is foreign."""
    rows = [
        {"id": f"{EVIL}{k}", "label": label, "word": ["good", "bad"][k], "weight": weight + k, "note": EVIL}
        | {"examples": {"match": [TEXTS[k], f"fails {EVIL}"]}}
        for k, label in enumerate(LABELS)
    ]
    return json.dumps({"rulenet": 1, "language": "en", "rules": rows})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return new_world(tmp_path_factory.mktemp("world"))


def new_world(parent: Path) -> dict[str, str]:
    """Files, folders and a model whose names and contents are foreign, by the names that `RUNS` has for them."""
    folder = parent / f"{NAME}\nerror: forged"
    folder.mkdir()
    contents = {
        "rules": ("yaml", rules(1)),
        "edited": ("yaml", rules(2)),
        "faulty": ("yaml", rules(1).replace('"weight"', json.dumps(f"w{EVIL}")).replace('"word"', '"wrod"')),
        "yaml": ("yaml", f"rulenet: 1\nrules: [{{id: '{EVIL}"),
        "empty": ("yaml", ""),
        "include": ("yaml", json.dumps({"rulenet": 1, "include": [EVIL], "rules": [{EVIL: EVIL}, EVIL]})),
    }
    found = {name: folder / f"{name}{NAME}.{suffix}" for name, (suffix, _) in contents.items()}
    for name, (_, text) in contents.items():
        found[name].write_text(text, encoding="utf-8")
    for name, labels in (("data", LABELS), ("other", [f"other{EVIL}"] * 2)):
        found[name] = folder / f"{name}{NAME}.csv"
        with found[name].open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows([COLUMNS, *zip(TEXTS * 6, labels * 6, strict=True)])
    found |= {name: folder / f"{name}{NAME}" for name in ("model", "forged", "broken", "out")}
    RuleNetClassifier(RuleSet.load(found["rules"]), None).fit(TEXTS * 6, LABELS * 6).save(found["model"])
    shutil.copytree(found["model"], found["forged"])
    write_config(found["forged"], {**config_of(found["model"]), "report": {EVIL: EVIL}, "language": EVIL, EVIL: EVIL})
    shutil.copytree(found["model"], found["broken"])
    (found["broken"] / "parts" / NAME).touch()
    words = {"e": EVIL, "pair": ",".join(LABELS), "text": COLUMNS[0], "label": COLUMNS[1]}
    return words | {name: str(path) for name, path in found.items()}


def test_every_command_is_here() -> None:
    assert set(commands()) <= RUNS.keys(), "add the new command to RUNS, with foreign text from each of its sources"


def check(shown: str, is_coloured: bool) -> None:
    """Nothing but the console's own colours."""
    assert "\x1b[38;5;123m" not in shown
    rest = re.sub(r"\x1b\[[\d;]*m", "", shown) if is_coloured else shown
    left = {hex(ord(char)) for char in rest if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")} - {"0xa"}
    assert not left, ascii(rest)
    assert "\nerror: forged" not in rest


def printed(world: dict[str, str], command: str, run: str, is_coloured: bool) -> str:
    """Run a command, check its status and what it prints, and return that."""
    words = [word.format(**world) for word in f"{command} {run}".split(" ") if word]
    result = CliRunner().invoke(app, words, input=TEXTS[0])
    assert result.exit_code in (0, 1, 2), result.output
    is_data = words[0] in ("predict", "suggest-labels") and "--json" not in words  # exact, as it is in a pipe here
    check(result.stderr, is_coloured)
    check("" if is_data else result.stdout, is_coloured)
    if Path(world["out"]).is_dir():
        shutil.rmtree(world["out"])
    Path(world["out"]).unlink(missing_ok=True)
    return result.output


@pytest.mark.slow
@pytest.mark.parametrize("is_coloured", [False, True])
@pytest.mark.parametrize("command", RUNS)
def test_nothing_foreign_steers_the_terminal(
    world: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str, is_coloured: bool
) -> None:
    if is_coloured:
        for stream in (console.out, console.err):
            monkeypatch.setattr(stream, "_force_terminal", True)
            monkeypatch.setattr(stream, "_color_system", ColorSystem.TRUECOLOR)
    seen = "".join(printed(world, command, run, is_coloured) for run in RUNS[command])
    assert "38;5;123m" in seen, "no foreign text was shown, so nothing was tested"


def test_data_is_exact_in_a_pipe_and_harmless_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        encoding = "utf-8"

        def __init__(self, is_terminal: bool) -> None:
            self.isatty = lambda: is_terminal
            self.written = ""

        def write(self, text: str) -> int:
            self.written += text
            return len(text)

    found: dict[bool, Any] = {}
    for is_terminal in (False, True):
        stream = Stream(is_terminal)
        monkeypatch.setattr("sys.stdout", stream)
        csv.writer(console.data_stream(), lineterminator="\n").writerow([EVIL, "a\nb"])
        console.write_json({"text": EVIL}, console.data_stream())
        found[is_terminal] = stream.written
    assert found[False].startswith(EVIL.split("\u2028")[0])
    check(found[True], is_coloured=False)
    for written in found.values():
        assert json.loads(written.splitlines()[-1]) == {"text": EVIL}
