"""rulenet.base.cores: quotas from fake control groups, affinity, and what environment variables say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulenet.base import cores
from rulenet.base.cores import n_threads, n_workers, usable_cores

V1 = "7:pids:/job\n3:cpu,cpuacct:/docker/a1\n0::/docker/a1\n"
SLICE = "sys/fs/cgroup/system.slice"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "damaged"}, 64),
        # a service below a slice: the least of both counts
        ({"proc/self/cgroup": "0::/system.slice/a.service\n", f"{SLICE}/cpu.max": "400000 100000"}, 4),
        ({"proc/self/cgroup": "0::/system.slice/a.service\n", f"{SLICE}/cpu.max": "400000 100000",
          f"{SLICE}/a.service/cpu.max": "300000 100000"}, 3),
        # v1: in a container the path is the host's, and its group is mounted at the root
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 2),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/cpu,cpuacct/docker/a1/cpu.cfs_quota_us": "50000",
          "sys/fs/cgroup/cpu,cpuacct/docker/a1/cpu.cfs_period_us": "100000"}, 1),
        ({"proc/self/cgroup": V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 64),
    ],
)  # fmt: skip
def test_a_container_is_not_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert usable_cores(tmp_path) == expected


def test_without_affinity_all_cores_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    assert usable_cores(tmp_path) == 10
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "3")
    assert usable_cores(tmp_path) == 3


def test_threads_and_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for usable, omp, n_jobs, threads in [
        (8, "", None, 8),
        (8, "2", None, 2),  # set by joblib's workers and the user's shell
        (2, "16", None, 2),
        (8, "zero", None, 8),
        (8, "", 3, 3),
        (2, "", 3, 2),
        (8, "", -1, 8),
        (8, "", -2, 7),
        (1, "", -5, 1),
    ]:
        monkeypatch.setattr(cores, "usable_cores", lambda usable=usable: usable)
        monkeypatch.setenv("OMP_NUM_THREADS", omp)
        assert n_threads(n_jobs) == threads, (usable, omp, n_jobs)
    monkeypatch.setattr("joblib.effective_n_jobs", lambda n_jobs: 64 if n_jobs == -1 else n_jobs or 1)
    monkeypatch.setattr(cores, "usable_cores", lambda: 2)
    assert [n_workers(n_jobs) for n_jobs in (None, 5, -1)] == [1, 5, 2]
