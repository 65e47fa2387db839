"""R of many texts: shared out among processes, or block by block from a stream. Imports joblib and the matcher.

Rules travel to a process as text: a large ruleset takes longer to pickle than to compile.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

import scipy.sparse
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from rulenet.base.cores import n_workers
from rulenet.rules.engine.match import BLOCK, Matcher, stack
from rulenet.text.language import Language

MIN_PARALLEL = 2000  # with fewer texts, starting a process takes longer than matching


class Rules(Protocol):
    """What knows how to compile itself."""

    def matcher(self, language: Language | None = None) -> Matcher:
        """The compiled engine for a language."""


@dataclass(frozen=True)
class Job:
    """Which rules are matched, and for which day."""

    read: Callable[[str], Rules]  # text of the rules → rules
    source: str
    language: Language
    day: datetime.date

    def match(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """R of some texts; the rules are read and compiled once per process."""
        return _read_once(self.read, self.source).matcher(self.language).match(texts, self.day)


def match_parallel(
    rules: Rules, job: Job, texts: Sequence[str], n_jobs: int | None, n_rules: int
) -> scipy.sparse.csr_matrix:
    """R with the texts shared out among processes, where that is worth it."""
    workers = n_workers(n_jobs)
    if workers == 1 or len(texts) < MIN_PARALLEL:
        return rules.matcher(job.language).match(texts, job.day)
    size = max(BLOCK, -(-len(texts) // (4 * workers)))
    parts = [texts[at : at + size] for at in range(0, len(texts), size)]
    return stack(Parallel(n_jobs=workers)(delayed(job.match)(part) for part in parts), n_rules)


def match_stream(
    rules: Rules, job: Job, texts: Iterable[str], n_jobs: int | None, block: int
) -> Iterator[scipy.sparse.csr_matrix]:
    """R block by block; with several processes a few blocks are under way at a time, never more."""
    texts = iter(texts)
    blocks = iter(lambda: list(islice(texts, block)), [])
    workers = n_workers(n_jobs)
    if workers == 1:
        yield from (rules.matcher(job.language).match(part, job.day) for part in blocks)
        return
    with get_reusable_executor(max_workers=workers) as executor:
        under_way: deque[Any] = deque()
        for part in blocks:
            under_way.append(executor.submit(job.match, part))
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


@lru_cache(maxsize=1)
def _read_once(read: Callable[[str], Rules], source: str) -> Rules:
    return read(source)
