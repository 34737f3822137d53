"""The files look as INEI's (names, formats, headers, widths, codes) and say that they are synthetic."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError, SchemaError, SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic import SyntheticTruth, write_synthetic
from juntos_eval.surveys.synthetic.raw_layout import encode

Written = tuple[Path, SyntheticTruth]

FILES = (
    "SYNTHETIC_DATA.txt",
    "enaho/2024/enaho01-2024-200.dta",
    "enaho/2024/enaho01-2024-700.dta",
    "enaho/2025/Enaho01-2025-130.csv",
    "enaho/2025/Enaho01-2025-200.csv",
    "enaho/2025/Enaho01-2025-700.csv",
    "enaho/2025/module100-household-derived.parquet",
    "geo/ubigeo_distrito.csv",
    "manifest.toml",
    "synthetic_truth.json",
)
FOOD_HEADER = (
    b"A\xd1O,MES,CONGLOME,VIVIENDA,HOGAR,UBIGEO,DOMINIO,ESTRATO,CODINFOR,P130_1,P130_2,P130_3,P130_4,P130_5,"
    b"P130_6,P130_7,P130_8,P203,P204,P205,P206,P207,P208a,P209,NCONGLOME,SUB_CONGLOME,FACTOR07\n"
)
WIDTHS = {"CONGLOME": 6, "VIVIENDA": 3, "HOGAR": 2, "UBIGEO": 6, "MES": 2, "NCONGLOME": 6, "SUB_CONGLOME": 2}


def read_text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, encoding="latin-1", dtype=str, keep_default_na=False)


def stored_kinds(path: Path) -> list[tuple[str, str]]:
    with pd.read_stata(path, chunksize=50) as reader:
        return [(str(column), str(kind)) for column, kind in next(reader).dtypes.items()]


def test_the_folder_holds_inei_s_file_names_and_two_marks_of_being_synthetic(written: Written) -> None:
    folder, _ = written
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == sorted(FILES)
    assert "SYNTHETIC DATA" in (folder / "SYNTHETIC_DATA.txt").read_text("utf-8")
    assert "DATOS SINTÉTICOS" in (folder / "SYNTHETIC_DATA.txt").read_text("utf-8")
    assert RawFolder.at(folder).is_synthetic
    assert json.loads((folder / "synthetic_truth.json").read_text("utf-8"))["is_synthetic"] is True


def test_the_manifest_states_rows_bytes_and_hash_of_every_data_file(written: Written) -> None:
    folder, _ = written
    stated = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))["files"]
    assert sorted(stated) == [name for name in sorted(FILES) if name[:4] in {"enah", "geo/"}]
    for name, facts in stated.items():
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (facts["bytes"], facts["sha256"])
    assert stated["enaho/2024/enaho01-2024-700.dta"]["rows"] == 800
    assert stated["geo/ubigeo_distrito.csv"]["rows"] == 1893


def test_csv_files_are_latin_1_with_unix_line_ends_and_the_spelling_of_2025(written: Written) -> None:
    folder, _ = written
    content = (folder / "enaho/2025/Enaho01-2025-130.csv").read_bytes()
    assert content.startswith(FOOD_HEADER)
    assert b"\r" not in content
    assert content.endswith(b"\n")
    programmes = read_text(folder / "enaho/2025/Enaho01-2025-700.csv")
    assert {"P710$04", "P701$09", "AÑO"} <= set(programmes.columns)
    assert programmes["P700I"].str.len().eq(2).all()


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".csv")])
def test_the_header_is_byte_for_byte_that_of_the_real_file(
    written: Written, shared_data: Path, name: str
) -> None:
    real = shared_data / "peru" / name
    if not real.is_file():
        pytest.skip(f"no real file at ../shared/data/peru/{name}")
    with real.open("rb") as theirs, (written[0] / name).open("rb") as ours:
        assert ours.readline() == theirs.readline()


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".dta")])
def test_stata_names_and_storage_are_those_of_the_real_file(
    written: Written, shared_data: Path, name: str
) -> None:
    real = shared_data / "peru" / name
    if not real.is_file():
        pytest.skip(f"no real file at ../shared/data/peru/{name}")
    ours, theirs = stored_kinds(written[0] / name), stored_kinds(real)
    assert ours == theirs


def test_the_dwelling_file_has_the_columns_and_types_of_the_third_party_s(
    written: Written, shared_data: Path
) -> None:
    name = "enaho/2025/module100-household-derived.parquet"
    real = shared_data / "peru" / name
    if not real.is_file():
        pytest.skip(f"no real file at ../shared/data/peru/{name}")
    ours, theirs = pd.read_parquet(written[0] / name), pd.read_parquet(real)
    assert ours.dtypes.astype(str).to_dict() == theirs.dtypes.astype(str).to_dict()
    assert list(ours) == list(theirs)


def test_stata_files_have_lower_case_names_and_the_year_in_its_own_letters(written: Written) -> None:
    frame = pd.read_stata(written[0] / "enaho/2024/enaho01-2024-700.dta")
    assert list(frame)[:3] == ["año", "mes", "conglome"]
    assert "p710_04" in frame
    assert frame["año"].eq(2024).all()
    assert frame["conglome"].str.fullmatch(r"\d{6}").all()
    assert frame.sort_values(["conglome", "vivienda", "hogar"]).index.tolist() == list(range(len(frame)))


@pytest.mark.parametrize("module", ["130", "200", "700"])
def test_keys_keep_their_width(written: Written, module: str) -> None:
    frame = read_text(written[0] / f"enaho/2025/Enaho01-2025-{module}.csv")
    for column, width in WIDTHS.items():
        assert frame[column].str.fullmatch(rf"\d{{{width}}}").all(), column
    keys = ["CONGLOME", "VIVIENDA", "HOGAR"] + (["CODPERSO"] if module == "200" else [])
    assert not frame.duplicated(keys).any()
    assert frame["MES"].is_monotonic_increasing


def test_dwelling_keys_are_integers_that_pad_to_those_of_module_700(written: Written) -> None:
    dwellings = pd.read_parquet(written[0] / "enaho/2025/module100-household-derived.parquet")
    programmes = read_text(written[0] / "enaho/2025/Enaho01-2025-700.csv")
    assert dwellings["conglome"].dtype == np.int64
    padded = (
        dwellings["conglome"].astype(str).str.zfill(6)
        + dwellings["vivienda"].astype(str).str.zfill(3)
        + dwellings["hogar"].astype(str).str.zfill(2)
    )
    known = programmes["CONGLOME"] + programmes["VIVIENDA"] + programmes["HOGAR"]
    assert padded.isin(known).all()
    assert 0.6 < len(padded) / len(known) < 0.95
    silent = known[programmes["P710$04"] == ""]
    assert padded.isin(silent).mean() < 0.01


def test_every_household_of_a_dwelling_has_its_number(written: Written) -> None:
    frame = pd.read_stata(written[0] / "enaho/2024/enaho01-2024-700.dta")
    of_dwelling = frame.groupby(["conglome", "vivienda"])["hogar"].apply(
        lambda codes: "-".join(sorted(codes))
    )
    assert set(of_dwelling) <= {"11", "12-22", "13-23-33"}


def test_answers_hold_only_declared_codes(written: Written) -> None:
    codebook = load_codebook("enaho")
    for table, module in (("members", "200"), ("programmes", "700"), ("food_security", "130")):
        frame = read_text(written[0] / f"enaho/2025/Enaho01-2025-{module}.csv")
        for column in codebook.columns_of(table, 2025):
            if column.kind == "code":
                declared = {str(code.code) for code in codebook.codes_of(table, column.name)}
                assert set(frame[column.raw["2025"]]) - {""} <= declared, column.name


def test_former_panel_members_have_no_traits_and_only_children_are_asked_about_work(written: Written) -> None:
    frame = pd.read_stata(written[0] / "enaho/2024/enaho01-2024-200.dta")
    is_former = frame["p203"] == 0
    assert is_former.any()
    assert frame.loc[is_former, ["p204", "p207", "p208a", "p209", "p210"]].isna().all(axis=None)
    assert frame.loc[~is_former, ["p204", "p207", "p208a"]].notna().all(axis=None)
    assert frame.loc[frame["codperso"] == "01", "p203"].eq(1).all()
    assert (
        (frame["p203"] == 1).groupby([frame["conglome"], frame["vivienda"], frame["hogar"]]).sum().eq(1).all()
    )
    is_asked = frame["p208a"].between(5, 17)
    assert frame["p210"].notna().equals(is_asked)
    assert frame["p211a"].notna().equals(is_asked & (frame["p210"] == 2))
    works = (frame["p210"] == 1) | frame["p211a"].isin(range(1, 8))
    assert frame["p211d"].notna().equals(works)
    assert frame["ocupac_r3"].notna().equals(works)
    assert frame["p208b"].notna().equals(frame["p208a"] == 0)


def test_programme_flags_are_empty_exactly_where_nobody_answered(written: Written) -> None:
    frame = read_text(written[0] / "enaho/2025/Enaho01-2025-700.csv")
    flags = [column for column in map(str, frame) if column.startswith(("P701$", "P710$"))]
    is_silent = frame["P710I"] == "00"
    assert is_silent.any()
    assert (frame.loc[is_silent, flags] == "").all(axis=None)
    assert frame.loc[~is_silent, flags].isin(["0", "1"]).all(axis=None)


def test_districts_are_of_all_departments_and_say_that_they_are_invented(written: Written) -> None:
    frame = pd.read_csv(written[0] / "geo/ubigeo_distrito.csv", dtype=str, keep_default_na=False)
    assert frame["distrito"].str.startswith("DISTRITO SINTÉTICO").all()
    numbered = frame[frame["inei"] != "NA"]
    assert len(frame) - len(numbered) == 1
    assert numbered["inei"].is_unique
    assert numbered["inei"].str[:2].nunique() == 25
    assert (frame["altitude"] == "NA").sum() == 19
    visited = read_text(written[0] / "enaho/2025/Enaho01-2025-700.csv")["UBIGEO"]
    assert visited.isin(frame.loc[frame["altitude"] != "NA", "inei"]).all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(written: Written, tmp_path: Path) -> None:
    folder, truth = written
    assert write_synthetic(tmp_path / "same", seed=7, households=800) == truth
    write_synthetic(tmp_path / "other", seed=8, households=800)
    for name in FILES:
        content = (folder / name).read_bytes()
        assert content == (tmp_path / "same" / name).read_bytes(), name
        assert content != (tmp_path / "other" / name).read_bytes(), name


def test_a_year_written_alone_has_the_bytes_it_has_beside_another(written: Written, tmp_path: Path) -> None:
    truth = write_synthetic(tmp_path, seed=7, households=800, years=(2025,))
    name = "enaho/2025/Enaho01-2025-200.csv"
    assert (tmp_path / name).read_bytes() == (written[0] / name).read_bytes()
    assert not (tmp_path / "enaho/2024").exists()
    assert truth.years == (2025,)
    assert truth.linkable_households == 0
    assert truth.effect("working_share_5_17", 2025) == written[1].effect("working_share_5_17", 2025)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"households": 100}, DesignError, "two clusters in each stratum"),
        ({"years": (2023, 2024)}, DesignError, "no year 2023"),
        ({"years": ()}, DesignError, "no year"),
        ({"seed": -1}, DesignError, "negative"),
    ],
)
def test_what_cannot_be_simulated_is_refused_before_a_file_is_written(
    tmp_path: Path, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    settings: dict[str, Any] = {"seed": 1, "households": 400} | arguments
    with pytest.raises(error, match=says):
        write_synthetic(tmp_path / "new", **settings)
    assert not (tmp_path / "new").exists()


def test_survey_files_not_marked_as_synthetic_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "enaho" / "2024").mkdir(parents=True)
    with pytest.raises(SourceError, match="not marked as synthetic"):
        write_synthetic(tmp_path, seed=1, households=400)


def test_a_simulated_value_without_a_code_is_refused() -> None:
    with pytest.raises(SchemaError, match="no code for elephant"):
        encode("members", "relation", np.array([0]), ("elephant",), np.array([True]))
