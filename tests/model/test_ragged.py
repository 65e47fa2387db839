"""Rows of different lengths: the same as a list of lists, in memory and from disk."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.errors import DataError
from rulenet.model.ragged import Ragged

ROWS = [[5, 6, 7], [], [8], [9, 10]]


def lists(rows: Ragged) -> list[list[int]]:
    return [row.tolist() for row in rows]


def test_it_is_a_list_of_lists() -> None:
    rows = Ragged.of(ROWS)
    assert len(rows) == 4
    assert lists(rows) == ROWS
    assert rows[0].tolist() == [5, 6, 7]
    assert rows[-1].tolist() == [9, 10]
    assert rows.lengths.tolist() == [3, 0, 1, 2]
    assert rows.values.tolist() == [5, 6, 7, 8, 9, 10]
    assert rows.offsets.tolist() == [0, 3, 3, 4, 6]
    assert (rows.values.dtype, rows.offsets.dtype) == (np.int32, np.int64)


def test_a_row_is_a_view_and_copies_nothing() -> None:
    rows = Ragged.of(ROWS)
    assert np.shares_memory(rows[3], rows.values)


def test_rows_beyond_the_end_and_numbers_too_large_for_a_word_piece_are_errors() -> None:
    for index in (4, -5):
        with pytest.raises(IndexError, match="range"):
            Ragged.of(ROWS)[index]
        with pytest.raises(IndexError, match="out of bounds"):
            Ragged.of(ROWS).take([index])
    with pytest.raises(OverflowError, match=r"too large|greater than maximum"):
        Ragged.of([[2**31]])


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=5), max_size=8),
    cut=st.slices(8),
    data=st.data(),
)
def test_slices_and_choices_are_those_of_a_list(rows: list[list[int]], cut: slice, data: st.DataObject) -> None:
    packed = Ragged.of(rows)
    assert lists(packed[cut]) == rows[cut]
    chosen = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=10)) if rows else []
    assert lists(packed.take(chosen)) == [rows[i] for i in chosen]
    assert lists(packed.take(np.array(chosen, dtype=np.intp))) == [rows[i] for i in chosen]


def test_saved_and_mapped_it_is_the_same_and_cannot_be_changed(tmp_path: Path) -> None:
    for rows in (ROWS, [], [[]]):
        Ragged.of(rows).save(tmp_path / "rows")
        opened = Ragged.open(tmp_path / "rows")
        assert lists(opened) == rows
        assert lists(opened[::-1]) == rows[::-1]
        assert [file.name for file in tmp_path.iterdir()] == ["rows"]  # nothing half-written is left
    Ragged.of(ROWS).save(tmp_path / "rows")
    with pytest.raises(ValueError, match="read-only"):
        Ragged.open(tmp_path / "rows").values[0] = 1


def test_saving_again_replaces_and_leaves_open_rows_alone(tmp_path: Path) -> None:
    Ragged.of(ROWS).save(tmp_path / "rows")
    before = Ragged.open(tmp_path / "rows")
    Ragged.of([[1]]).save(tmp_path / "rows")
    assert lists(before) == ROWS
    assert lists(Ragged.open(tmp_path / "rows")) == [[1]]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file/rows", tmp_path):
        with pytest.raises(DataError, match=f"{path}: rows cannot be written"):
            Ragged.of(ROWS).save(path)


def test_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with pytest.raises(DataError, match=r"rows cannot be read: .*No such file"):
        Ragged.open(path)
    Ragged.of(ROWS).save(path)
    whole = path.read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    for content in (*flipped, *(whole[:n] for n in range(len(whole))), whole + b"more"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="rows cannot be read"):
            Ragged.open(path)


def save_often(path: Path, worker: int) -> None:
    for i in range(20):
        Ragged.of([[worker, i]] * 50).save(path)


@pytest.mark.slow
def test_several_processes_may_save_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=save_often, args=(tmp_path / "rows", i)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    rows = lists(Ragged.open(tmp_path / "rows"))
    assert rows == [rows[0]] * 50
    assert rows[0][1] == 19
    assert [file.name for file in tmp_path.iterdir()] == ["rows"]
