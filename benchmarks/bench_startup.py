"""Claim: `import rulenet` loads no torch, and `rulenet rules lint rules/ag_news.yaml` takes less than 1 s cold."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import RULES, finish

RUNS = 7
LIMIT_S = 1.0


def main() -> None:
    """Start fresh interpreters and measure."""
    probe = "import sys, rulenet; print(sorted(m for m in ('torch', 'sklearn', 'scipy', 'transformers') if m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.strip()
    command = [
        shutil.which("rulenet", path=str(Path(sys.executable).parent)) or "rulenet",
        "rules",
        "lint",
        str(RULES / "ag_news.yaml"),
    ]
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
    figures = {
        "heavy_modules_loaded": loaded,
        "lint_seconds": [round(s, 3) for s in seconds],
        "lint_median_s": round(statistics.median(seconds), 3),
    }
    claims = {
        "import rulenet loads no torch": "torch" not in loaded,
        f"rules lint answers in under {LIMIT_S} s (median of {RUNS})": statistics.median(seconds) < LIMIT_S,
    }
    finish("startup", figures, claims)


if __name__ == "__main__":
    main()
