"""The verbs that make something of raw files: clean tables, estimates, the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from juntos_eval.cli.console import log_to_stderr, plain_errors, print_error
from juntos_eval.errors import JuntosError

if TYPE_CHECKING:
    from juntos_eval.pipeline.step import Stage

__all__ = ["clean", "estimates", "report"]

DataRaw = Annotated[
    Path | None,
    typer.Option(
        "--data-raw",
        metavar="FOLDER|TOML",
        help="Raw files as <survey>/<year>/<file>, or a TOML that says where each lies. "
        "Without it: data_raw/ where it holds survey files, else synthetic ones.",
    ),
]
Root = Annotated[Path, typer.Option("--root", help="Folder in which data_clean/ and reports/ lie.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the synthetic files.")]
Households = Annotated[
    int, typer.Option("--households", min=400, help="Synthetic households a year; ENAHO has about 33,700.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log each step with its time.")]


def report(
    data_raw: DataRaw = None,
    root: Root = Path(),
    seed: Seed = 20051,
    households: Households = 33_700,
    verbose: Verbose = False,
) -> None:
    """Make everything up to reports/index.html.

    Examples:  juntos-eval report   ·   juntos-eval report --data-raw ../data
    """
    _make("report", data_raw, root, seed, households, verbose=verbose)


def estimates(
    data_raw: DataRaw = None,
    root: Root = Path(),
    seed: Seed = 20051,
    households: Households = 33_700,
    verbose: Verbose = False,
) -> None:
    """Make clean data and the records of all estimates, no report."""
    _make("estimates", data_raw, root, seed, households, verbose=verbose)


def clean(
    data_raw: DataRaw = None,
    root: Root = Path(),
    seed: Seed = 20051,
    households: Households = 33_700,
    verbose: Verbose = False,
) -> None:
    """Read, check and clean the raw files into data_clean/."""
    _make("data", data_raw, root, seed, households, verbose=verbose)


def _make(
    until: Stage, data_raw: Path | None, root: Path, seed: int, households: int, *, verbose: bool
) -> None:
    quiet = verbose or os.environ.get("CI", "") not in ("", "0", "false")
    log_to_stderr(verbose=verbose)
    with plain_errors():
        # imported here, so that --help and completion stay quick
        from juntos_eval.pipeline.build import build
        from juntos_eval.pipeline.plan import Run, not_made, steps

        run = Run.choose(root=root, data_raw=data_raw, seed=seed, households=households)
        outcome = build(steps(run), until=until, state=run.state, quiet=quiet)
        for name, error in outcome.failures:
            if not isinstance(error, JuntosError):
                raise error
            print_error(error, step=name)
        if not outcome.is_sound:
            raise typer.Exit(code=2)
        for lost in not_made(run):
            Console(stderr=True, soft_wrap=True).print(f"Not made: {lost}.", style="yellow", markup=False)
        _say_what_was_made(until, len(outcome.made), run.result(until), synthetic=run.is_synthetic)


def _say_what_was_made(until: Stage, made: int, result: Path, *, synthetic: bool) -> None:
    kind = "SYNTHETIC DATA" if synthetic else "real data"
    what = f"{made} steps made" if made else "nothing had changed"
    Console(stderr=True, soft_wrap=True).print(f"{until.capitalize()} on {kind}: {what}. See {result}")
