"""rulenet.base.files: a file is replaced whole or not at all, and what killed writers left is deleted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rulenet.base.files import write_file


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
