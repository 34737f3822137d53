"""Adding a year is one column in one CSV: nothing else of the package is touched."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from juntos_eval.errors import SchemaError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import codebook as codebook_module
from juntos_eval.surveys import enaho
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic import write_history

NEXT = "2026"


@pytest.fixture
def raw(tmp_path: Path) -> RawFolder:
    """Files of a year that the package does not know: those of 2025, dated a year later."""
    folder = tmp_path / "raw"
    write_history(folder, seed=4, households=300, years=(2025,), modules=("sumaria", "members", "education"))
    (folder / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    old, new = folder / "enaho" / "2025", folder / "enaho" / NEXT
    new.mkdir()
    for path in old.iterdir():
        text = path.read_text(encoding="latin-1").replace("\n2025,", f"\n{NEXT},")
        (new / path.name.replace("2025", NEXT)).write_text(text, encoding="latin-1")
    return RawFolder.at(folder)


@pytest.fixture
def with_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A copy of the declared tables in which columns.csv has one column more."""
    tables = tmp_path / "surveys"
    for survey in ("enaho", "geo"):
        (tables / survey).mkdir(parents=True)
        for name in ("columns.csv", "codes.csv"):
            source = files("juntos_eval.surveys").joinpath(survey, name)
            shutil.copy(str(source), tables / survey / name)
    path = tables / "enaho" / "columns.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], NEXT])
        writer.writeheader()
        writer.writerows(row | {NEXT: row["2025"]} for row in rows)
    monkeypatch.setattr(codebook_module, "files", lambda _: tables)
    load_codebook.cache_clear()
    yield
    load_codebook.cache_clear()


def test_a_year_without_its_column_is_refused(raw: RawFolder) -> None:
    with pytest.raises(SchemaError, match=f"The year {NEXT} has no map"):
        enaho.clean_sumaria(raw, int(NEXT))


@pytest.mark.usefixtures("with_column")
def test_its_column_is_all_it_takes(raw: RawFolder) -> None:
    for clean in (enaho.clean_sumaria, enaho.clean_members, enaho.clean_education, enaho.clean_child_work):
        later, earlier = clean(raw, int(NEXT)).frame, clean(raw, 2025).frame
        assert set(later["year"]) == {int(NEXT)}
        assert later.drop(columns="year").equals(earlier.drop(columns="year"))
