"""The README's numbers are those of the records, and its list of exhibits is the declared one."""

from __future__ import annotations

from pathlib import Path

import pytest

from juntos_eval.errors import SourceError
from juntos_eval.pipeline.readme import filled, headline_markdown


def test_the_readme_is_current(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert filled(readme, repository) == readme, "run: python -m juntos_eval.pipeline.readme"


def test_without_records_it_says_so(tmp_path: Path) -> None:
    assert "No record" in headline_markdown(tmp_path)


def test_a_readme_without_its_marks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="headline:begin"):
        filled("nothing", tmp_path)
