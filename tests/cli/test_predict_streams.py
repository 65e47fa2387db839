"""`rulenet predict` on more texts than fit into memory: reads a block, answers it, forgets it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from rulenet.cli import predict as command

N_BLOCKS = 3


class Counting:
    """Stands for a classifier; answers the parity of a text's number, and notes each pass."""

    classes_ = np.array(["even", "odd"])

    def __init__(self) -> None:
        self.passes: list[int] = []

    def predict_proba(self, texts: list[str]) -> Any:
        self.passes.append(len(texts))
        return np.eye(2)[[int(text) % 2 for text in texts]]


def test_texts_are_read_one_block_ahead() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for i in range(N_BLOCKS * command.BLOCK):
            read += 1
            yield str(i)

    clf: Any = Counting()
    answers = command._predictions(clf, texts())
    ahead = []
    for done, _ in enumerate(answers):
        ahead.append(read - done)
    assert max(ahead) == command.BLOCK
    assert clf.passes == [command.BLOCK] * N_BLOCKS


def test_every_text_has_its_own_answer_across_blocks() -> None:
    clf: Any = Counting()
    n = command.BLOCK + 2
    rows = list(command._predictions(clf, (str(i) for i in range(n))))
    assert rows == [(str(i), ["even", "odd"][i % 2], 1.0) for i in range(n)]
    assert clf.passes == [command.BLOCK, 2]
    assert list(islice(command._predictions(clf, iter([])), 1)) == []
