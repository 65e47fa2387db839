"""How many cores this process may use: a container limited to one CPU of a host with 64 must not start 64 threads. Imports joblib late.

joblib looks at the root of the control groups only; a service limited by systemd has its quota further down.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def usable_cores(root: Path | None = None) -> int:
    """Cores that affinity and control groups (v1 and v2) leave to this process, and LOKY_MAX_CPU_COUNT; at least 1.

    Parameters
    ----------
    root
        Where ``proc`` and ``sys`` are. None: ``/``.

    Examples
    --------
    >>> 1 <= usable_cores() <= (os.cpu_count() or 1)
    True
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *_given("LOKY_MAX_CPU_COUNT"), *map(math.ceil, _quotas(root or ROOT))]))


def n_threads(n_jobs: int | None = None) -> int:
    """Threads in this process: at most its cores and OMP_NUM_THREADS, which is set where several processes run at the same time.

    Parameters
    ----------
    n_jobs
        With joblib's meaning of -1; None: as many as may be.

    Examples
    --------
    >>> n_threads(1)
    1
    """
    return _wanted(n_jobs, min([usable_cores(), *_given("OMP_NUM_THREADS")]))


def n_workers(n_jobs: int | None) -> int:
    """Workers of joblib, as it counts: None is one, -1 as many as there are usable cores; one inside a worker of joblib.

    Examples
    --------
    >>> n_workers(None), n_workers(3)
    (1, 3)
    """
    from joblib import effective_n_jobs

    found = int(effective_n_jobs(n_jobs))
    return found if n_jobs is None or n_jobs > 0 else min(found, _wanted(n_jobs, usable_cores()))


def _wanted(n_jobs: int | None, allowed: int) -> int:
    if n_jobs is None:
        return allowed
    return max(1, min(n_jobs, allowed) if n_jobs > 0 else allowed + 1 + n_jobs)


def _given(variable: str) -> list[int]:
    """The number in an environment variable; empty if there is none."""
    value = os.environ.get(variable, "")
    return [int(value)] if value.isdigit() and int(value) > 0 else []


def _quotas(root: Path) -> Iterator[float]:
    """CPUs that each control group around this process allows; those without a limit are left out."""
    groups = root / "sys/fs/cgroup"
    for line in _words(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        inside = PurePosixPath(path.lstrip("/"))
        # In a container, the path may be the host's: then only the last is there.
        for group in (inside, *inside.parents):
            if not controllers:
                yield from _ratio(_words(groups / group / "cpu.max"))
            elif "cpu" in controllers.split(","):
                for folder in (groups / "cpu" / group, groups / controllers / group):
                    yield from _ratio(_words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us"))


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return []


def _ratio(words: list[str]) -> Iterator[float]:
    """Quota / period, unless there is no limit ("max", or -1)."""
    if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]) > 0:
        yield int(words[0]) / int(words[1])
