"""What every verb shares: our own errors in plain words, exit codes, and the log."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.logging import RichHandler

from juntos_eval.errors import JuntosError, SourceError

__all__ = ["log_to_stderr", "plain_errors", "print_error"]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print our own errors in their own words and leave with exit code 2; others keep their traceback."""
    try:
        yield
    except JuntosError as error:
        print_error(error)
        raise typer.Exit(code=2) from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        full = SourceError(
            "The disk is full", where=str(error.filename or ""), remedy="make room and try again"
        )
        print_error(full)
        raise typer.Exit(code=2) from error
    except KeyboardInterrupt as error:
        Console(stderr=True).print("Stopped. Nothing half-written was left; the same command goes on.")
        raise typer.Exit(code=130) from error


def print_error(error: JuntosError, step: str = "") -> None:
    """Print one of our errors on the error stream."""
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"Error{f' in step {step}' if step else ''}: {error}", style="bold red", markup=False)


def log_to_stderr(*, verbose: bool) -> None:
    """Send the log to the error stream; every step of it where asked."""
    handler = RichHandler(console=Console(stderr=True), show_path=False)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, handlers=[handler], format="%(message)s"
    )
