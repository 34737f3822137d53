"""Zips as INEI makes them, a portal that serves them, and a policy whose pauses are counted and not slept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.surveys.catalog import CatalogFile, published
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.fetch.policy import Policy
from tests.surveys.fetch.portal import Portal, serving

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the machine that runs the tests says of proxies and certificates."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def module() -> CatalogFile:
    """Sumaria of 2019, in Stata."""
    return published("enaho", years=(2019,), modules=("34",), formats=("STATA",))[0]


def needed_columns(table: str, year: int) -> list[str]:
    """Every raw name that the table must have."""
    return [
        column.raw[str(year)] for column in load_codebook("enaho").columns_of(table, year) if column.is_needed
    ]


def stata_bytes(columns: list[str], rows: int = 400) -> bytes:
    """A Stata file of numbers; the bytes do not compress away."""
    rng = np.random.default_rng(7)
    stream = io.BytesIO()
    frame = pd.DataFrame({name.replace("ñ", "n"): rng.uniform(size=rows) for name in dict.fromkeys(columns)})
    frame.to_stata(stream, write_index=False, version=118)
    return stream.getvalue()


@pytest.fixture(scope="session")
def sumaria_zip() -> bytes:
    """687-Modulo34.zip: the table, its decoy, and a dictionary."""
    columns = [name for name in needed_columns("sumaria", 2019) if not name.lower().startswith("a")]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "687-Modulo34/sumaria-2019-12.dta", stata_bytes(["conglome", "vivienda", "hogar"], 900)
        )
        archive.writestr("687-Modulo34/Sumaria-2019.dta", stata_bytes(columns))
        archive.writestr("687-Modulo34/Diccionario.pdf", b"%PDF-1.4")
    return stream.getvalue()


@pytest.fixture
def portal(sumaria_zip: bytes) -> Iterator[Portal]:
    with serving(Portal(content=sumaria_zip)) as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    """The pauses asked for."""
    return []


@pytest.fixture
def make_policy(portal: Portal, slept: list[float]) -> Callable[..., Policy]:
    def make(**choices: object) -> Policy:
        clock = lambda: sum(slept)  # noqa: E731 - time passes by sleeping alone
        known: dict[str, object] = {
            "hosts": (portal.url,),
            "sleep": slept.append,
            "clock": clock,
            "read_s": 5.0,
        }
        return Policy(**(known | choices))  # type: ignore[arg-type]

    return make


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data_raw"
