"""The command line: one verb a step of the main job."""

import typer

from juntos_eval.cli import evidence, runs, studies, surveys
from juntos_eval.cli.synthetic import synthetic

__all__ = ["app"]

app = typer.Typer(
    name="juntos-eval",
    help="Impact evaluation of Juntos: from raw survey files to estimates, tables, figures and a report.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)

for verb in (
    surveys.catalog,
    surveys.fetch,
    surveys.doctor,
    runs.clean,
    runs.estimates,
    runs.report,
    synthetic,
):
    app.command()(verb)

app.add_typer(evidence.app)
app.add_typer(studies.app)
