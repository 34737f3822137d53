"""Several models side by side: the numbers are those of the estimates, and no text can do harm."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from docx import Document

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.iv import TwoStage
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.inference.cluster import Cluster
from juntos_eval.reporting.regression_table import table


@cache
def models() -> tuple[Estimate, ...]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=["y", "d", "z", "x"])
    frame["d"] += frame["z"]
    frame["y"] += 0.5 * frame["d"]
    frame = frame.assign(village=np.arange(300) % 30, w=rng.uniform(1, 2, 300))
    plain = FixedEffects(outcome="y", covariates=("d", "x")).fit(frame)
    effects = FixedEffects(outcome="y", covariates=("d",), absorb=("village",), weights="w").fit(frame)
    instrumented = TwoStage(outcome="y", endogenous="d", instruments="z", covariates=("x",)).fit(
        frame, inference=Cluster("village")
    )
    return plain, effects, instrumented


def cells(shown: Any, label: str) -> tuple[str, ...]:
    found: tuple[str, ...] = dict((*shown.body, *shown.foot))[label]
    return found


def test_numbers_are_those_of_the_estimates() -> None:
    shown = table(models(), digits=4)
    for position, estimate in enumerate(models()):
        row = estimate.keys["term"].index("d")
        assert cells(shown, "d")[position].replace("−", "-") == f"{estimate.values[row]:.4f}"
        below = shown.body[[label for label, _ in shown.body].index("d") + 1][1][position]
        assert below == f"({estimate.uncertainty.std_error[row]:.4f})"
    assert cells(shown, "x")[1] == ""
    assert cells(shown, "Rows") == ("300", "300", "300")
    assert cells(shown, "Effects: village") == ("no", "yes", "no")
    assert cells(shown, "Weights") == ("no", "w", "no")
    assert cells(shown, "R² within")[0] == ""
    assert cells(shown, "R² within")[1] == f"{models()[1].details['r2_within']:.4f}"
    strength = models()[2].details["strength"]["kleibergen_paap_f"]
    assert cells(shown, "First-stage F (Kleibergen-Paap)")[2] == f"{strength:.4f}"


def test_notes_name_inference_rule_and_degrees_of_freedom() -> None:
    notes = " ".join(table(models()).notes)
    for estimate in models():
        assert estimate.uncertainty.method in notes
    assert "t(29)" in notes
    assert "G = 30" in notes


def test_layout_stars_terms_and_heads() -> None:
    shown = table(
        models(),
        columns=("a", "b", "c"),
        terms={"d": "Transfer"},
        layout=("interval", "p_value", "statistic"),
        stars=(0.1, 0.05, 0.01),
        level=0.9,
    )
    assert shown.heads == ("a", "b", "c")
    assert [label for label, _ in shown.body] == ["Transfer", "", "", ""]
    assert all(cell.endswith("***") for cell in cells(shown, "Transfer"))
    low, high = models()[0].interval(0.9)[list(models()[0].keys["term"]).index("d")]
    assert shown.body[1][1][0] == f"[{low:.3f}, {high:.3f}]"
    assert shown.notes[-1] == "* p < 0.1, ** p < 0.05, *** p < 0.01"
    assert "***" not in table(models()).text()


def test_spanish() -> None:
    shown = table(models(), words="es", stars=(0.05,))
    assert "Filas" in dict(shown.foot)
    assert "," in cells(shown, "d")[0]
    assert "error estándar" in shown.notes[0]


def test_every_format_has_every_cell() -> None:
    shown = table(models(), title="Effects")
    value = cells(shown, "d")[0]
    for text in (shown.text(), shown.html(), shown.latex(), shown.typst(), shown.csv(), str(shown)):
        assert value in text
    document = Document(io.BytesIO(shown.docx()))
    grid = document.tables[0]
    assert [cell.text for cell in grid.rows[0].cells][1:] == list(shown.heads)
    assert value in [cell.text for cell in grid.rows[[r.cells[0].text for r in grid.rows].index("d")].cells]
    assert document.paragraphs[0].text == "Effects"
    widths = {len(line) for line in shown.text().splitlines() if line.startswith("---")}
    assert len(widths) == 1


@pytest.mark.parametrize("evil", ["<script>x</script>", "=1+1", "$\\input{x}$", '#read("x")', "a & b_c%"])
def test_names_can_do_no_harm(evil: str) -> None:
    frame = pd.DataFrame({evil: [1.0, 2.0, 4.0, 3.0, 5.0], "d": [0, 0, 1, 1, 0], "w": 1.0})
    estimate = FixedEffects(outcome=evil, covariates=("d",)).fit(frame)
    shown = table([estimate], columns=(evil,), title=evil, terms={"d": evil})
    assert "<script" not in shown.html()
    assert "\\input{" not in shown.latex().replace("\\textbackslash{}input", "")
    assert "#read" not in shown.typst().replace("\\#read", "")
    frame_of = pd.read_csv(io.StringIO(shown.csv()), header=None, dtype=str)
    assert not frame_of[0].fillna("").str.startswith("=").any()
    if evil.startswith("a &"):
        assert r"a \& b\_c\%" in shown.latex()


def test_what_is_unknown_is_a_dash_and_not_a_zero() -> None:
    from juntos_eval.estimate import Sample, Uncertainty

    known = Estimate(
        spec={"estimator": "published"}, keys={"term": ("d",), "group": ("2006",)}, values=np.array([1.5]),
        uncertainty=Uncertainty(method="not reported", covariance=np.array([[np.nan]]), df=np.inf),
        sample=Sample(rows=10, units=10),
    )  # fmt: skip
    shown = table([known], layout=("std_error", "p_value"), stars=(0.1,))
    assert shown.body[0] == ("d, group 2006", ("1.500",))
    assert "0.000" not in shown.text()
    assert "—" in shown.body[1][1][0] or "–" in shown.body[1][1][0]


@pytest.mark.parametrize(
    ("estimates", "choices"),
    [
        ((), {}),
        (None, {"columns": ("a",)}),
        (None, {"layout": ("hope",)}),
        (None, {"colour": "red"}),
        (None, {"terms": ("zz",)}),
    ],
)
def test_what_cannot_be_set(estimates: Any, choices: dict[str, Any]) -> None:
    with pytest.raises(DesignError):
        table(models() if estimates is None else estimates, **choices)
