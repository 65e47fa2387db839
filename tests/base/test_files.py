"""rulenet.base.files: a file is replaced whole or not at all, inputs and devices are not, and what killed writers left is deleted."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rulenet.base.files import check_output, open_output, write_file
from rulenet.errors import DataError


def test_new_and_old_files(tmp_path: Path) -> None:
    for content in (b"one", b"", b"two"):
        write_file(tmp_path / "a", content)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": content}


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX")
def test_permissions_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "a").touch(mode=0o600)
    (tmp_path / "link").symlink_to("a")
    write_file(tmp_path / "link", b"new", like=tmp_path)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    write_file(tmp_path / "b", b"", like=tmp_path / "a")
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_an_error_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    write_file(tmp_path / "a", b"old")
    monkeypatch.setattr(call, full)
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "a", b"new")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": b"old"}


def test_only_old_temporary_files_of_the_same_file_are_deleted(tmp_path: Path) -> None:
    """A young one may be someone else's who is writing now."""
    long_ago = time.time() - 2 * 3600
    old = [f".a[1].{'0' * 32}"]
    others = [f".a[1].{'1' * 32}", f".b.{'2' * 32}", ".a[1].bak", f".a1.{'3' * 32}"]
    for name in old + others:
        (tmp_path / name).touch()
    for name in old + others[1:]:
        os.utime(tmp_path / name, (long_ago, long_ago))
    write_file(tmp_path / "a[1]", b"")
    assert sorted(os.listdir(tmp_path)) == sorted(["a[1]", *others])


# Outputs of commands


def put(path: Path, content: bytes = b"new") -> None:
    with open_output(path) as handle:
        handle.write(content)


@pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are POSIX")
def test_links_and_modes_stay_and_special_files_are_written_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a long old content")
    (tmp_path / "a").chmod(0o640)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "far").symlink_to(tmp_path / "link")
    put(tmp_path / "far")
    assert (tmp_path / "far").is_symlink()
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "a").stat().st_mode & 0o777) == (b"new", 0o640)
    (tmp_path / "nowhere").symlink_to("b")
    put(tmp_path / "nowhere")
    assert (tmp_path / "b").read_bytes() == b"new"
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o666 & ~mask
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    put(tmp_path / "pipe")
    reader.join()
    assert (read, stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)) == ([b"new"], True)
    put(Path(os.devnull))
    assert not Path(os.devnull).is_file()
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "far", "link", "nowhere", "pipe"]


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="the system has no /dev/fd")
def test_a_redirected_output_is_continued_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"old ")
    before = (tmp_path / "log").stat().st_ino
    with (tmp_path / "log").open("ab") as log:
        (tmp_path / "link").symlink_to(f"/dev/fd/{log.fileno()}")
        for name in (f"/dev/fd/{log.fileno()}", f"/proc/self/fd/{log.fileno()}", tmp_path / "link"):
            if Path(name).parent.exists():
                put(Path(name), b"x")
        with pytest.raises(DataError, match="same file as the input"):
            check_output(Path(f"/dev/fd/{log.fileno()}"), [tmp_path / "log"])
    assert (tmp_path / "log").read_bytes().startswith(b"old xx")
    assert (tmp_path / "log").stat().st_ino == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_device_is_said() -> None:
    with pytest.raises(DataError, match=r"^/dev/full cannot be written: No space left on device$"):
        put(Path("/dev/full"))


def test_an_error_in_the_middle_leaves_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    for name in ("a", "b"):
        with pytest.raises(ZeroDivisionError, match="division by zero"), open_output(tmp_path / name) as handle:  # noqa: PT012
            handle.write(b"half")
            handle.flush()
            _ = 1 / 0
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": b"old"}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="the system has no files without a name")
def test_a_killed_process_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import os, pathlib, signal, sys; from rulenet.base.files import open_output\n"
        "with open_output(pathlib.Path(sys.argv[1])) as f: f.write(b'half'); f.flush(); os.kill(os.getpid(), int(sys.argv[2]))"
    )
    for number in (signal.SIGKILL, signal.SIGTERM):
        assert subprocess.run([sys.executable, "-c", code, tmp_path / "a", str(int(number))]).returncode == -number
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a": b"old"}


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    for name, message in ((".", "it is a folder"), ("no/a", "there is no folder"), ("no/b/a", "there is no folder")):
        with pytest.raises(DataError, match=message):
            check_output(tmp_path / name)
    (tmp_path / "a").touch()
    with pytest.raises(DataError, match="it is a file of the input"):
        check_output(tmp_path / "a", [None, "hub:name", tmp_path])
    check_output(tmp_path / "new", [None, "hub:name", tmp_path, tmp_path / "a"])
    check_output(None, ["-", tmp_path / "a"])
    with pytest.raises(DataError, match="has no other files"):
        check_output(tmp_path / "new", models=[None, tmp_path])
    check_output(tmp_path / "new", models=[tmp_path / "a"])
    for name, target in (("ring1", "ring2"), ("ring2", "ring1")):
        (tmp_path / name).symlink_to(target)
    with pytest.raises(DataError, match="a link that leads back to itself"):
        check_output(tmp_path / "ring1")
