"""Importing the package, all of it, asks nothing of any network and runs no other program."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"}:
        raise RuntimeError(f"import causes {event} {arguments}")

sys.addaudithook(refuse)
import juntos_eval
for module in pkgutil.walk_packages(juntos_eval.__path__, "juntos_eval."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(sum(name.startswith("juntos_eval.") for name in sys.modules))
"""


def test_import_reaches_no_network_and_starts_no_program(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_tests_cannot_leave_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(ConnectionRefusedError, match="a test tried to reach"):
        outside.connect(("192.0.2.1", 80))
