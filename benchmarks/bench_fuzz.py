"""Claim: each of 100,000 damaged rule files, includes and word lists loads or raises a RuleFileError, and none takes 5 s.

Each fault names a line that exists and says what to do.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from common import RULES, finish

sys.path.insert(0, str(RULES.parent))

from rulenet.errors import RuleFileError
from rulenet.rules.ruleset import RuleSet
from tests.rules.mutations import Folder, complaints, damaged

FILES = 100_000
LIMIT_S = 5.0


def main() -> None:
    """Damage files, load them, and count the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random_ = Random(options.seed)
    packs = [path.read_text(encoding="utf-8") for path in sorted(RULES.glob("*.yaml"))]
    outcomes: dict[str, Counter[str]] = {}
    wrong: dict[str, str] = {}
    seconds: list[float] = []
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Folder(Path(scratch))
        for i in range(options.files):
            sample = damaged(random_, packs)
            path = folder.write(sample)
            started = time.perf_counter()
            try:
                RuleSet.load(path)
                outcome = "loaded"
            except RuleFileError as error:
                outcome = "refused"
                for complaint in complaints(error, sample, folder.path):
                    wrong.setdefault(complaint[:60], f"file {i} ({sample.how}): {complaint}"[:300])
            except Exception as error:  # what this script is here to find
                outcome = type(error).__name__
                wrong.setdefault(outcome, f"file {i} ({sample.how}): {error!r}"[:300])
            seconds.append(time.perf_counter() - started)
            slowest = max(
                slowest, (seconds[-1], f"file {i} ({sample.how}), {sum(map(len, sample.files.values())):,} bytes")
            )
            outcomes.setdefault(sample.how, Counter())[outcome] += 1
    total = sum(outcomes.values(), Counter())
    figures = {
        "files": options.files,
        "outcomes": dict(total),
        "outcomes_by_damage": {how: dict(counts) for how, counts in sorted(outcomes.items())},
        "other_exceptions": options.files - total["loaded"] - total["refused"],
        "complaints": wrong,
        "load_median_ms": round(1000 * statistics.median(seconds), 2),
        "load_p999_ms": round(1000 * sorted(seconds)[int(0.999 * len(seconds))], 1),
        "slowest_s": round(slowest[0], 3),
        "slowest": slowest[1],
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    claims = {
        "only RuleFileError is ever raised": figures["other_exceptions"] == 0,
        "every fault names a line that exists and says what to do": not wrong,
        f"no file takes {LIMIT_S:.0f} s": slowest[0] < LIMIT_S,
    }
    finish("fuzz", figures, claims, seeds=[options.seed])


if __name__ == "__main__":
    main()
