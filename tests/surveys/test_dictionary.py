"""The pages on raw and clean data say what the package declares."""

from __future__ import annotations

from pathlib import Path

from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.dictionary import TABLES, data_clean_readme, data_raw_readme, write_readmes
from juntos_eval.surveys.source import load_source


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
    for survey in ("enaho", "geo"):
        source = load_source(survey)
        assert source.licence in page
        assert source.producer in page
        for table in source.tables.values():
            for year in table.rows:
                assert table.names(None if year == "undated" else int(year))[0] in page
    assert set(load_codebook("enaho").years) == {*(str(year) for year in range(2004, 2026)), "undated"}


def test_pages_are_written_where_they_belong(tmp_path: Path) -> None:
    assert [path.relative_to(tmp_path).as_posix() for path in write_readmes(tmp_path)] == [
        "data_raw/README.md",
        "data_clean/README.md",
    ]
