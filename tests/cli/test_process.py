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
    assert process.stdout.readline() == b"text,label,probability,path\n"
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(b"good film\n" * 20_000, timeout=60)
    assert process.returncode == 141
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_or_closed_streams_end_in_one_line(model: str, tmp_path: Path) -> None:
    texts = tmp_path / "t.csv"
    texts.write_text("text\n" + "good film\n" * 2000)
    full = "error: standard output cannot be written: No space left on device\n"
    for arguments in (["predict", model, str(texts)], ["rules", "schema"], ["--help"], ["evaluate", model, str(texts)]):
        is_wrong = arguments[0] == "evaluate"  # no labels
        with open("/dev/full", "wb") as nowhere:
            done = subprocess.run([*COMMAND, *arguments], stdout=nowhere, stderr=subprocess.PIPE, check=False)
            mute = subprocess.run([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=nowhere, check=False)
            both = subprocess.run([*COMMAND, *arguments], stdout=nowhere, stderr=nowhere, check=False)
        assert (done.returncode, done.stderr.decode() == full) == (2, not is_wrong), done.stderr
        assert (mute.returncode, bool(mute.stdout)) == (2 * is_wrong, not is_wrong)
        assert both.returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="closes by a shell")
def test_closed_streams_are_empty(model: str) -> None:
    for closed, arguments, status in (
        ("<&-", ["predict", model, "-"], 0),
        (">&-", ["explain", model, "good"], 0),
        ("2>&-", ["rules", "lint", "no.yaml"], 1),
        ("<&- >&- 2>&-", ["explain", model, "-"], 0),
    ):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *arguments], capture_output=True, check=False
        )
        assert done.returncode == status, done
        assert b"a bug in rulenet" not in done.stderr


def test_anything_else_ends_in_one_line_too(model: str) -> None:
    """Each case: the exception, the status, what is said."""
    cases = [
        ("MemoryError()", 2, "error: there is not enough memory"),
        ("RecursionError('maximum')", 2, "error: the input is nested too deeply"),
        ("PermissionError(13, 'Permission denied', 'x\\x1b')", 2, "error: x␛: Permission denied"),
        (
            "ZeroDivisionError('a\\nb')",
            70,
            "error: a bug in rulenet, please report it",
        ),
        ("type('PanicException', (BaseException,), {})('boom')", 70, "error: a bug in rulenet"),
        ("KeyboardInterrupt()", 130, "error: interrupted"),
        ("BrokenPipeError(32, 'Broken pipe')", 141, ""),
        ("SystemExit(3)", 3, ""),
    ]
    for exception, status, said in cases:
        broken = f"from rulenet import RuleNetClassifier as C\ndef f(*_, **__): raise {exception}\nC.load = f\n"
        for debug in ("", "1") if status == 70 else ("",):
            command = [sys.executable, "-c", broken + PROGRAM, "explain", model, "good"]
            done = subprocess.run(
                command, capture_output=True, check=False, env={**os.environ, "RULENET_DEBUG": debug}, text=True
            )
            last = done.stderr.splitlines()[-1] if said else done.stderr
            assert (done.returncode, done.stdout) == (status, "")
            assert last.startswith(said)
            assert len(done.stderr.splitlines()) == bool(said) or (debug and status == 70)
            assert ("Traceback" in done.stderr) == (debug == "1" and status == 70)
