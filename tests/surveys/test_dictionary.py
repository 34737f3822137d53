"""The pages on raw and clean data say what the package declares."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.dictionary import TABLES, data_clean_readme, data_raw_readme, write_readmes
from juntos_eval.surveys.source import SURVEYS, load_source


def test_the_pages_in_the_repository_are_up_to_date(repository: Path) -> None:
    remedy = "run: python -m juntos_eval.surveys.dictionary"
    assert (repository / "data_raw" / "README.md").read_text(encoding="utf-8") == data_raw_readme(), remedy
    assert (repository / "data_clean" / "README.md").read_text(encoding="utf-8") == data_clean_readme(), (
        remedy
    )


def test_every_column_is_described_in_both_languages() -> None:
    for _, table in TABLES:
        for field in table.fields:
            assert field.description, field.name
            assert field.description_es, field.name
            assert field.description != field.description_es, field.name


def test_every_file_and_its_terms_are_on_the_page() -> None:
    page = data_raw_readme()
    for survey in SURVEYS:
        source = load_source(survey)
        for text in (source.licence, source.producer, source.citation):
            assert text in page
        for table in source.tables.values():
            for name in table.file_names:
                assert f"`{PurePosixPath(name).stem}`" in page, name
        for year, facts in source.years.items():
            assert not facts.get("code") or f"{year} {facts['code']}" in page
    assert set(load_codebook("enaho").years) == {str(year) for year in range(2004, 2026)}


def test_the_page_says_how_to_get_the_files() -> None:
    page = data_raw_readme()
    for verb in ("juntos-eval catalog", "juntos-eval fetch", "juntos-eval doctor"):
        assert verb in page
    for study in (5307, 6852, 6853, 7931, 8357, 7483):
        assert str(study) in page
    assert len(page) < 40_000, "a page that nobody reads"


def test_pages_are_written_where_they_belong(tmp_path: Path) -> None:
    assert [path.relative_to(tmp_path).as_posix() for path in write_readmes(tmp_path)] == [
        "data_raw/README.md",
        "data_clean/README.md",
    ]
