"""The command line: one verb a step of the main job."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from juntos_eval.errors import JuntosError, SourceError

if TYPE_CHECKING:
    from juntos_eval.pipeline.step import Stage

__all__ = ["app"]

app = typer.Typer(
    name="juntos-eval",
    help="Impact evaluation of Juntos: from raw survey files to estimates, tables, figures and a report.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)

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


@app.command()
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


@app.command()
def estimates(
    data_raw: DataRaw = None,
    root: Root = Path(),
    seed: Seed = 20051,
    households: Households = 33_700,
    verbose: Verbose = False,
) -> None:
    """Make clean data and the records of all estimates, no report."""
    _make("estimates", data_raw, root, seed, households, verbose=verbose)


@app.command()
def clean(
    data_raw: DataRaw = None,
    root: Root = Path(),
    seed: Seed = 20051,
    households: Households = 33_700,
    verbose: Verbose = False,
) -> None:
    """Read, check and clean the raw files into data_clean/."""
    _make("data", data_raw, root, seed, households, verbose=verbose)


@app.command()
def synthetic(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    seed: Seed = 20051,
    households: Households = 33_700,
) -> None:
    """Write raw-shaped SYNTHETIC ENAHO files, with INEI's names, formats and codes and a planted truth.

    Example:  juntos-eval synthetic /tmp/enaho --households 2000
    """
    with _plain_errors():
        if folder.exists() and any(folder.iterdir()):
            raise SourceError(
                "synthetic files are only written into an empty folder",
                where=str(folder),
                remedy="name another folder, or empty this one",
            )
        from juntos_eval.surveys.synthetic import write_synthetic

        write_synthetic(folder, seed=seed, households=households)
        Console(stderr=True).print(f"SYNTHETIC DATA of {households:,} households a year in {folder}")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Print our own errors in their own words and leave with exit code 2; others keep their traceback."""
    try:
        yield
    except JuntosError as error:
        _print_error(error)
        raise typer.Exit(code=2) from error
    except KeyboardInterrupt as error:
        Console(stderr=True).print("Stopped. Nothing half-written was left; the same command goes on.")
        raise typer.Exit(code=130) from error


def _make(
    until: Stage, data_raw: Path | None, root: Path, seed: int, households: int, *, verbose: bool
) -> None:
    quiet = verbose or os.environ.get("CI", "") not in ("", "0", "false")
    _log_to_stderr(verbose=verbose)
    with _plain_errors():
        # imported here, so that --help and completion stay quick
        from juntos_eval.pipeline.build import build
        from juntos_eval.pipeline.plan import Run, steps

        run = Run.choose(root=root, data_raw=data_raw, seed=seed, households=households)
        outcome = build(steps(run), until=until, state=run.state, quiet=quiet)
        for name, error in outcome.failures:
            if not isinstance(error, JuntosError):
                raise error
            _print_error(error, step=name)
        if not outcome.is_sound:
            raise typer.Exit(code=2)
        _say_what_was_made(until, len(outcome.made), run.result(until), synthetic=run.is_synthetic)


def _say_what_was_made(until: Stage, made: int, result: Path, *, synthetic: bool) -> None:
    kind = "SYNTHETIC DATA" if synthetic else "real data"
    what = f"{made} steps made" if made else "nothing had changed"
    Console(stderr=True, soft_wrap=True).print(f"{until.capitalize()} on {kind}: {what}. See {result}")


def _print_error(error: JuntosError, step: str = "") -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"Error{f' in step {step}' if step else ''}: {error}", style="bold red", markup=False)


def _log_to_stderr(*, verbose: bool) -> None:
    handler = RichHandler(console=Console(stderr=True), show_path=False)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, handlers=[handler], format="%(message)s"
    )
