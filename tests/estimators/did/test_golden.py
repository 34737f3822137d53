"""Our two-period effects and their standard errors are those of DRDID and did, and of drdid for Python."""

from __future__ import annotations

import gzip
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import DoublyRobust
from tests.estimators.did import golden

DRDID = sorted(name for name in golden.cases() if not name.startswith("att_gt"))
DID = sorted(name for name in golden.cases() if name.startswith("att_gt"))
# DRDID's own formula differs from the derivative there: see tests/golden/did/README.md
DIFFERENT = {"drdid_rc-u", "drdid_rc-w", "drdid_rc1-u", "drdid_rc1-w", "ipw_did_rc-w"}


def tolerance(name: str) -> float:
    has_no_score = name.startswith("reg") or "-reg-" in name or "nocov" in name or "-none-" in name
    return 1e-9 if has_no_score else 1e-7


def close(estimate: Estimate, att: float, se: float, tolerance: float) -> None:
    np.testing.assert_allclose(estimate.values, [att], rtol=tolerance, atol=tolerance * se)
    np.testing.assert_allclose(estimate.uncertainty.std_error, [se], rtol=tolerance)


def test_every_case_is_there() -> None:
    assert len(DRDID) == 25
    assert len(DID) == 44


@pytest.mark.parametrize("name", DRDID)
def test_drdid(name: str) -> None:
    estimator, rows = golden.of_drdid(name, "drdid" if name in DIFFERENT else "exact")
    expected = golden.cases()[name]["expected"]
    estimate = estimator.fit(rows)
    close(estimate, expected["att"], expected["se"], tolerance(name))
    low, high = estimate.interval()[0]
    half = 1.959963984540054 / 1.96 * (expected["uci"] - expected["lci"]) / 2  # DRDID rounds the quantile
    np.testing.assert_allclose([low, high], [expected["att"] - half, expected["att"] + half], rtol=1e-6)


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_exact_variance_differs_from_drdid_in_little_and_not_in_the_effect(name: str) -> None:
    expected = golden.cases()[name]["expected"]
    estimator, rows = golden.of_drdid(name)
    estimate = estimator.fit(rows)
    np.testing.assert_allclose(estimate.values, [expected["att"]], rtol=tolerance(name))
    ratio = float(estimate.uncertainty.std_error[0]) / expected["se"]
    assert ratio != pytest.approx(1.0, rel=1e-5)
    assert ratio == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("name", sorted(golden.peers("trimmed")))
def test_trimmed_controls(name: str) -> None:
    expected = golden.peers("trimmed")[name]
    estimator, rows = golden.of_drdid(name, "drdid")
    trimmed = replace(estimator, trim=expected["trim"]).fit(rows)
    close(trimmed, expected["att"], expected["se"], 1e-7)
    assert abs(trimmed.values[0] - estimator.fit(rows).values[0]) > 1e-4


@pytest.mark.parametrize("name", sorted(golden.peers("exact")))
def test_exact_variance_is_that_of_drdid_for_python(name: str) -> None:
    expected = golden.peers("exact")[name]
    estimator, rows = golden.of_drdid(name)
    close(estimator.fit(rows), expected["att"], expected["se"], 1e-9)


@pytest.mark.parametrize("name", DID)
def test_cells_of_did(name: str, request: pytest.FixtureRequest) -> None:
    data = golden.cases()[name]["data"]
    if "mpdta" in name:
        frame = pd.read_csv(request.getfixturevalue("shared_data") / data)
    else:
        frame = golden.table(data)
    compared = 0
    for estimator, rows, att, se in golden.of_did(name, frame):
        close(estimator.fit(rows), att, se, tolerance(name))
        compared += 1
    assert compared >= 6


def test_card_krueger(shared_data: Path) -> None:
    """Employment in New Jersey and Pennsylvania, all restaurants seen in a wave: 2.7536 (data/README.md)."""
    frame = read_rda(shared_data / "benchmarks" / "did" / "njmin3.rda")
    estimator = DoublyRobust(outcome="fte", time="d", treatment="nj", panel=False, method="reg")
    estimate = estimator.fit(frame)
    assert float(estimate.values[0]) == pytest.approx(2.7536, abs=5e-5)
    assert estimate.sample.dropped == {"fte missing": 26}
    means = frame.groupby(["nj", "d"])["fte"].mean()
    by_hand = (means[1, 1] - means[1, 0]) - (means[0, 1] - means[0, 0])
    assert float(estimate.values[0]) == pytest.approx(by_hand, rel=1e-12)


def read_rda(path: Path) -> pd.DataFrame:
    """Return the one data frame of a file in R's format RDX2 that holds numbers."""
    reader = RdaReader(gzip.decompress(path.read_bytes()))
    (content,) = reader.item().values()
    return pd.DataFrame({name.lower(): values for name, values in content.items()})


class RdaReader:
    """As much of R's serialisation (XDR) as a data frame of numbers needs."""

    def __init__(self, content: bytes) -> None:
        assert content.startswith((b"RDX2\nX\n", b"RDX3\nX\n"))
        self.content, self.at = content, 19  # the magic word, the format and two versions
        if content.startswith(b"RDX3"):
            size = self.integer()
            self.at += size  # the name of the encoding
        self.symbols: list[str] = []

    def integer(self) -> int:
        (value,) = struct.unpack_from(">i", self.content, self.at)
        self.at += 4
        return int(value)

    def item(self) -> Any:
        flags = self.integer()
        kind = flags & 255
        if kind == 254:  # NULL
            return None
        if kind == 255:
            return self.symbols[(flags >> 8) - 1]
        if kind == 1:
            self.symbols.append(self.item())
            return self.symbols[-1]
        if kind == 9:
            return self.text()
        if kind == 238:
            return self.alternative()
        return self.pairs(flags) if kind == 2 else self.vector(flags)

    def alternative(self) -> Any:
        """Return a vector that is stored as a sequence of integers, or wrapped in what is known of it."""
        self.item()
        flags = self.integer()
        if flags & 255 == 2:
            values, _, _ = self.item(), self.item(), self.item()
            return values
        count, start, step = self.vector(flags)
        self.item()
        return start + step * np.arange(count)

    def text(self) -> str:
        size = self.integer()
        start, self.at = self.at, self.at + max(size, 0)
        return self.content[start : self.at].decode("latin-1")

    def pairs(self, flags: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while flags & 255 == 2:
            tag = self.item() if flags & 1024 else ""
            found[tag] = self.item()
            flags = self.integer()
        return found

    def vector(self, flags: int) -> Any:
        kind, size = flags & 255, self.integer()
        values: Any
        if kind in (16, 19):
            values = [self.item() for _ in range(size)]
        else:
            dtype = {10: ">i4", 13: ">i4", 14: ">f8"}[kind]
            values = np.frombuffer(self.content, dtype, size, self.at).astype(np.float64)
            self.at += values.size * int(dtype[-1])
        attributes = self.item() if flags & 512 else {}
        is_named = kind == 19 and "names" in attributes
        return dict(zip(attributes["names"], values, strict=True)) if is_named else values
