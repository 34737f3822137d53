"""What the README takes from records and declarations: ``python -m juntos_eval.pipeline.readme``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from juntos_eval.errors import SourceError
from juntos_eval.paths import RunPaths, write_atomically
from juntos_eval.pipeline.records import read_estimates
from juntos_eval.reporting.exhibits import exhibits_markdown
from juntos_eval.reporting.language import language
from juntos_eval.reporting.questions import Question, questions
from juntos_eval.reporting.report_input import Label, ReportInput, RunFacts
from juntos_eval.reporting.text import findings
from juntos_eval.studies.comparison import HEADLINE
from juntos_eval.studies.juntos_households import STUDY

__all__ = ["filled", "headline_markdown"]

_NOWHERE = RunFacts(
    name="real",
    is_synthetic=False,
    seed=None,
    started="",
    code_version="",
    python="",
    packages={},
    input_files=(),
    data_raw=Label("", ""),
)
_UNKNOWN = "No record of a real run is kept here yet.\n"


def filled(readme: str, root: Path) -> str:
    """Return the README with its generated parts made anew.

    Parameters
    ----------
    readme : str
        With lines ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->`` for NAME in headline, exhibits.
    root : Path
        Folder of ``reports/real``.

    Returns
    -------
    str

    Raises
    ------
    SourceError
        If a marked part is missing.
    """
    for name, content in (("headline", headline_markdown(root)), ("exhibits", exhibits_markdown())):
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(readme):
            raise SourceError(
                f"the README has no part '{name}'",
                where="README.md",
                remedy=f"mark it with {begin} and {end}",
            )
        block = f"{begin}\n{content}{end}"
        readme = pattern.sub(lambda _, block=block: block, readme)  # type: ignore[misc]
    return readme


def headline_markdown(root: Path) -> str:
    """Return what the records of the real run say of the study's headline, with every caveat of the report.

    Parameters
    ----------
    root : Path

    Returns
    -------
    str
        Markdown; says so where there is no record.
    """
    record = RunPaths(root=root, run="real").report_file("estimates", f"{STUDY.headline}.json")
    if not record.is_file():
        return _UNKNOWN
    shown = read_estimates(record)
    content = ReportInput(run=_NOWHERE, estimates=shown, headline=f"{STUDY.headline}.{HEADLINE}")
    (question,) = questions(content)
    words = language("en")
    sentences = [sentence.text for sentence in findings(question, words, is_synthetic=False)]
    return "\n".join(
        [
            f"**{question.title.of('en')}** (ENAHO {question.year}, INEI; `reports/real/estimates/`)",
            "",
            *_table(question),
            "",
            *(f"- {sentence}" for sentence in sentences),
            "",
            "![Raw gap and adjusted differences](reports/real/figures/raw-and-adjusted-en.png)",
            "",
        ]
    )


def _table(question: Question) -> list[str]:
    lines = ["| design | difference | 95 % interval | n |", "|---|---|---|---|"]
    for shown in question.estimates:
        low, high = shown.interval
        lines.append(
            f"| {shown.labels['design'].en} | {100 * shown.value:+.1f} points | "
            f"{100 * low:+.1f} to {100 * high:+.1f} | {shown.estimate.sample.rows:,} |"
        )
    return lines


def main(root: Path) -> int:
    """Write the README anew; return 1 if it was not current."""
    path = root / "README.md"
    old = path.read_text(encoding="utf-8")
    new = filled(old, root)
    if new == old:
        return 0
    write_atomically(path, new)
    print("README.md made anew", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    main(Path())
