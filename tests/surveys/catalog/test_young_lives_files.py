"""The files of Young Lives are those of the listing, and those on disk are found loose and zipped."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.catalog_young_lives import deposited_files, names_on_disk
from juntos_eval.surveys.young_lives.study_files import load_deposit

SEEN = {
    "public analysis code / file listing (names only)": "listing",
    "public analysis code / file listing (names only) (Peru name inferred from Ethiopia twin)": "inferred",
}


def test_files_are_those_of_the_listing(repository: Path) -> None:
    path = repository.parent / "shared" / "inei" / "young_lives_files.csv"
    if not path.is_file():
        pytest.skip("no listing at ../shared/inei/young_lives_files.csv: this test compares with it")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [
        (f.round, str(f.study), f.cohort, f.folder, f.file, f.id_rule, f.seen) for f in deposited_files()
    ] == [
        (
            row["round"], row["ukds_sn"], row["cohort"], row["kind"], row["file"], row["id_variable"],
            SEEN.get(row["source"], "study_page"),
        )
        for row in rows
    ]  # fmt: skip
    assert all(row["access"].startswith("UK Data Service registered user") for row in rows)


def test_studies_are_those_that_the_package_reads() -> None:
    assert {file.study for file in deposited_files()} == set(load_deposit().studies)


def test_what_is_on_disk_is_found_loose_and_zipped(tmp_path: Path) -> None:
    assert names_on_disk(tmp_path / "none") == {}
    with zipfile.ZipFile(tmp_path / "UKDA-5307-stata.zip", "w") as archive:
        archive.writestr("r1_yc/peru/PEChildLevel1yrOld.dta", b"x")
        archive.writestr("guide.pdf", b"x")
    (tmp_path / "peru_constructed.dta").write_bytes(b"x")
    assert names_on_disk(tmp_path) == {
        "pechildlevel1yrold": "UKDA-5307-stata.zip: r1_yc/peru/PEChildLevel1yrOld.dta",
        "peru_constructed": "peru_constructed.dta",
    }
    (tmp_path / "UKDA-6852-stata.zip").write_bytes(b"<html>login</html>")
    with pytest.raises(SourceError, match="web page"):
        names_on_disk(tmp_path)
