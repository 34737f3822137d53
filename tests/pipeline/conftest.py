"""One whole run on synthetic households, shared by the tests that look at it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

#: Enough for every group by age, sex and stratum to have households of both kinds.
HOUSEHOLDS = 12_000


def call(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Call the command line in a folder, as a user would, without a bar."""
    program = "from juntos_eval.cli import app; app()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"CI": "true", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )


@pytest.fixture(scope="session")
def synthetic_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Root of a finished ``juntos-eval report`` on synthetic data; made once, whichever worker asks first."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    root = shared / "synthetic-run"
    with (shared / "synthetic-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            root.mkdir(exist_ok=True)
            made = call("report", "--households", str(HOUSEHOLDS), folder=root)
            assert made.returncode == 0, made.stderr
            (root / "done").write_text(made.stderr)
    return root
