"""Make ``.venv`` hold what a lock file pins: ``python3 .ci/environment.py report`` (or ``test``).

The Makefile calls it before every verb, so it costs nothing when there is nothing to do: a stamp in ``.venv``
holds the digest of what was installed, and is written last. After an interrupted installation the environment
is made anew; two calls at once wait for each other. Standard library only; wheels only, every hash checked,
nothing resolved.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# the lock files that a purpose takes; the last one holds all that the others hold
LOCKS = {"report": ("requirements.lock",), "test": ("requirements.lock", "requirements-dev.lock")}


def digest(root: Path, purpose: str) -> str:
    """Fingerprint of the lock files and of what pyproject.toml says about the package, not about tools."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    package = [project["build-system"], project["project"], project["tool"]["setuptools"]]
    content = hashlib.sha256(json.dumps(package, sort_keys=True).encode())
    for lock in LOCKS[purpose]:
        content.update((root / lock).read_bytes())
    return content.hexdigest()


def stamp(root: Path, purpose: str) -> Path:
    """Where the digest of what was installed is kept."""
    return root / ".venv" / f".{purpose}.sha256"


def is_ready(root: Path, purpose: str) -> bool:
    """Tell whether what is asked for, or more, was installed from the files as they are now."""
    return any(
        stamp(root, name).is_file() and stamp(root, name).read_text(encoding="utf-8") == digest(root, name)
        for name in LOCKS
        if set(LOCKS[purpose]) <= set(LOCKS[name])
    )


def run(*command: str | Path) -> None:
    """Run a program to its end; raise CalledProcessError if that is not a good one."""
    # setuptools warns of every editable installation
    subprocess.run(command, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})


def is_healthy(python: Path) -> bool:
    """Tell whether an interpreter is there, starts, has pip and is not too old."""
    question = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and subprocess.run([python, "-c", question], check=False).returncode == 0


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the only right to change the environment; it ends with this process, however that ends."""
    with (root / "pyproject.toml").open("rb") as file:
        if find_spec("fcntl"):  # not on Windows
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(root: Path, purpose: str) -> None:
    """Install what the lock file pins, then the package itself, and leave the stamp."""
    venv = root / ".venv"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    unfinished = venv / ".unfinished"
    if unfinished.exists() or not is_healthy(python):
        run(sys.executable, "-m", "venv", "--clear", venv)
    unfinished.touch()
    quiet = () if os.environ.get("VERBOSE") else ("--quiet",)
    pip = (python, "-m", "pip", "--disable-pip-version-check", *quiet, "install", "--no-deps")
    run(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", root / LOCKS[purpose][-1])
    run(*pip, "--no-build-isolation", "--editable", root)
    stamp(root, purpose).write_text(digest(root, purpose), encoding="utf-8")
    unfinished.unlink()


def prepare(root: Path, purpose: str) -> str | None:
    """Return what is wrong, or None once the environment is ready."""
    if is_ready(root, purpose):
        return None
    if not (find_spec("ensurepip") and find_spec("venv")):
        return f"{sys.executable} comes without its venv module. On Debian: apt-get install python3-venv"
    print(f"Installing what `make {purpose}` needs into .venv (once; a minute or more)", flush=True)
    try:
        with alone(root):
            if not is_ready(root, purpose):
                install(root, purpose)
    except subprocess.CalledProcessError as error:
        return f"The environment is not finished: {error}. Mend the cause and give the same command again."
    return None


if __name__ == "__main__":
    sys.exit(prepare(ROOT, sys.argv[1]))
