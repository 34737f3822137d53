"""Synthetic ENDES: read like the real one, the same by seed, and with what was planted in it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.errors import DesignError, SchemaError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import endes
from juntos_eval.surveys.geo import clean_districts
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.synthetic import write_synthetic
from juntos_eval.surveys.synthetic.endes import (
    EndesModel,
    EndesTruth,
    read_endes_truth,
    write_synthetic_endes,
)
from juntos_eval.surveys.synthetic.endes.files import FileFormat


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("year", [2004, 2011, 2013, 2020, 2023])
def test_a_year_is_read_and_cleaned(tmp_path: Path, year: int) -> None:
    write_synthetic_endes(tmp_path, seed=2, households=400, years=(year,))
    raw = RawFolder.at(tmp_path)
    homes = endes.clean_households(raw, year)
    people = endes.clean_persons(raw, year, households=homes)
    women = endes.clean_women(raw, year, households=homes)
    tables = [
        endes.clean_children(raw, year, households=homes, persons=people),
        endes.clean_births(raw, year, women=women),
        endes.clean_violence(raw, year, households=homes),
    ]
    if year == 2020:
        tables.append(endes.clean_health(raw, year, households=homes, persons=people))
    assert all(len(table.frame) > 50 and table.provenance.is_synthetic for table in tables)
    assert not [note for note in tables[2].provenance.notes if "says otherwise" in note]
    has_answers = homes.frame["has_juntos"].notna().any()
    assert has_answers == (year in {2013, 2014, 2015, *range(2017, 2025)})
    if year == 2013:
        assert women.frame["is_affiliated_to_juntos"].notna().any()
    # what a mother's line says leads to a woman of the file
    mothers = tables[0].frame["mother_line"].dropna().astype(int).astype(str).str.zfill(2)
    ids = tables[0].frame.loc[mothers.index, "household_id"] + "-" + mothers
    assert ids.isin(women.frame["person_id"]).mean() > 0.97


@pytest.mark.parametrize("file_format", ["sav", "dta", "csv"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, file_format: FileFormat) -> None:
    for place in ("a", "b"):
        write_synthetic_endes(
            tmp_path / place,
            seed=3,
            households=300,
            years=(2018,),
            file_format=file_format,
        )
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_formats_hold_the_same_answers(tmp_path: Path) -> None:
    frames = []
    formats: tuple[FileFormat, ...] = ("sav", "dta", "csv")
    for file_format in formats:
        folder = tmp_path / file_format
        write_synthetic_endes(folder, seed=3, households=300, years=(2018,), file_format=file_format)
        frames.append(endes.clean_children(RawFolder.at(folder), 2018).frame)
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


def test_a_year_does_not_depend_on_the_others(tmp_path: Path) -> None:
    write_synthetic_endes(tmp_path / "one", seed=3, households=300, years=(2012,))
    write_synthetic_endes(tmp_path / "two", seed=3, households=300, years=(2010, 2012))
    one, two = bytes_of(tmp_path / "one" / "endes" / "2012"), bytes_of(tmp_path / "two" / "endes" / "2012")
    assert one == two


def test_another_seed_gives_other_answers(tmp_path: Path) -> None:
    for seed in (3, 4):
        write_synthetic_endes(tmp_path / str(seed), seed=seed, households=300, years=(2012,))
    assert bytes_of(tmp_path / "3" / "endes") != bytes_of(tmp_path / "4" / "endes")


def test_districts_are_those_of_enaho(tmp_path: Path) -> None:
    """Both surveys in one folder: one map of districts, one manifest that vouches for the files of both."""
    write_synthetic(tmp_path, seed=5, households=300, years=(2025,))
    before = (tmp_path / "geo" / "ubigeo_distrito.csv").read_bytes()
    write_synthetic_endes(tmp_path, seed=5, households=300, years=(2019,))
    assert (tmp_path / "geo" / "ubigeo_distrito.csv").read_bytes() == before
    raw = RawFolder.at(tmp_path)
    surveys = {path.relative_to(tmp_path).parts[0] for path in raw.expected}
    assert surveys == {"enaho", "endes", "geo"}
    homes = endes.clean_households(raw, 2019).frame
    assert homes["ubigeo"].isin(clean_districts(raw).frame["ubigeo"]).all()
    again = (tmp_path / "manifest.toml").read_text(encoding="utf-8")
    write_synthetic_endes(tmp_path, seed=5, households=300, years=(2019,))
    assert (tmp_path / "manifest.toml").read_text(encoding="utf-8") == again


def test_the_manifest_vouches_for_every_file(tmp_path: Path) -> None:
    write_synthetic_endes(tmp_path, seed=2, households=300, years=(2020,))
    path = tmp_path / "endes" / "2020" / "RECH6_2020.csv"
    expected = RawFolder.at(tmp_path).expected[path]
    assert expected.rows == len(read_raw(path).frame)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SourceError, match="half-copied"):
        endes.clean_children(RawFolder.at(tmp_path), 2020)


def test_truth_is_written_and_read_back(tmp_path: Path) -> None:
    truth = write_synthetic_endes(tmp_path, seed=2, households=300, years=(2019,))
    again = read_endes_truth(tmp_path)
    assert EndesTruth.from_json(again.to_json()).to_json() == truth.to_json()
    with pytest.raises(SchemaError, match="was planted"):
        truth.effect("wages", 2019)
    with pytest.raises(SchemaError, match="no record"):
        EndesTruth.from_json("{}")
    with pytest.raises(SourceError, match="No planted truth"):
        read_endes_truth(tmp_path / "geo")


def test_real_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "endes" / "2020").mkdir(parents=True)
    with pytest.raises(SourceError, match="not marked as synthetic"):
        write_synthetic_endes(tmp_path, seed=1, households=300)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"years": (2025,)}, "No map of columns is documented for 2025"),
        ({"years": ()}, "no year"),
        ({"seed": -1}, "negative"),
        ({"households": 100}, "cannot fill"),
    ],
)
def test_impossible_choices(tmp_path: Path, choices: dict[str, object], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        write_synthetic_endes(tmp_path, **({"seed": 1, "households": 300} | choices))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("rollout", ((2007, 0.5), (2005, 0.6))),
        ("rollout", ((2005, 0.6), (2007, 0.5))),
        ("take_up", 1.0),
        ("physical_effect", float("nan")),
        ("household_spread", -1.0),
    ],
)
def test_impossible_models(parameter: str, value: object) -> None:
    with pytest.raises(DesignError):
        EndesModel(**{parameter: value})  # type: ignore[arg-type]
