"""The installed `rulenet` command as a process of its own: status, streams, signals, closed pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rulenet import RuleNetClassifier

# A test run in the background ignores Ctrl-C and hands that down to its children, so the handler is put back first.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from rulenet.cli.main import main
main()
"""
COMMAND = [sys.executable, "-c", PROGRAM]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("process") / "model"
    RuleNetClassifier(None, None).fit(["good film", "bad film"] * 3, ["pos", "neg"] * 3).save(folder)
    return str(folder)


def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*COMMAND, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **environment}
    )


def test_a_mistake_is_one_message_on_the_error_stream(model: str, tmp_path: Path) -> None:
    process = start("predict", model, str(tmp_path / "no.csv"))
    out, err = process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert err.decode().startswith("error: ")
    assert "no.csv: not found" in err.decode()
    assert b"Traceback" not in err


def test_output_of_any_locale_is_readable(model: str) -> None:
    for encoding in ("utf-8", "ascii", "cp1252"):
        process = start("explain", model, "good é 体育 😀", "--json", PYTHONIOENCODING=encoding)
        out, _ = process.communicate()
        assert process.returncode == 0
        assert json.loads(out.decode(encoding))["text"] == "good é 体育 😀"
        assert ("体育".encode() in out) == (encoding == "utf-8")


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_ctrl_c_ends_with_130_and_one_line(model: str) -> None:
    process = start("predict", model, "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"good film\n" * 5000)
    process.stdin.flush()
    assert process.stdout.read(1) == b"t"  # so it is in the middle of its work, waiting for more lines
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"error: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_closed_pipe_ends_quietly(model: str) -> None:
    process = start("predict", model, "-")
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"good film\n" * 5000)
    process.stdin.flush()
    assert process.stdout.readline() == b"text,label,proba\n"
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(b"good film\n" * 20_000, timeout=60)
    assert process.returncode == 1
    assert b"Traceback" not in err


def test_a_warning_is_a_line_without_python(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("rulenet: 1\nrules: [{id: a, label: x, word: oil, field: title}]\n")
    (tmp_path / "d.csv").write_text("text,label\noil,x\nwin,y\n")
    process = start("rules", "stats", str(tmp_path / "r.yaml"), "--data", str(tmp_path / "d.csv"))
    _, err = process.communicate()
    assert process.returncode == 0
    warned = [line for line in err.decode().splitlines() if "no text is a record" in line]
    assert [line[:9] for line in warned] == ["warning: "]
    assert b".py" not in err
