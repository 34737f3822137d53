"""Every public name resolves where the stub says, loads lazily, and is documented with a running example."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import juntos_eval as je

HEAVY = ("matplotlib", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "statsmodels")
NAMES = sorted(je.PUBLIC_NAMES)


def sections(text: str) -> set[str]:
    """Titles that numpydoc underlines."""
    return set(re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", text, flags=re.MULTILINE))


def test_there_are_names() -> None:
    assert len(NAMES) > 10
    assert set(vars(je)["__all__"]) == {"__version__", *NAMES}
    assert dir(je) == sorted(["__version__", *NAMES])


@pytest.mark.parametrize("name", NAMES)
def test_name_resolves_and_its_module_offers_it(name: str) -> None:
    module = importlib.import_module(je.PUBLIC_NAMES[name])
    assert getattr(je, name) is getattr(module, name)
    assert name in module.__all__


@pytest.mark.parametrize("name", NAMES)
def test_name_is_documented(name: str) -> None:
    thing = getattr(je, name)
    text = inspect.getdoc(thing) or ""
    assert re.match(r"\S.*\.$", text.split("\n\n")[0], flags=re.DOTALL), "the first paragraph is a sentence"
    if inspect.isclass(thing) and issubclass(thing, Exception) and thing is not je.JuntosError:
        return  # what they are raised for is one sentence; their arguments are JuntosError's
    assert ">>> " in text
    assert "Examples" in sections(text)
    if inspect.isclass(thing):
        assert {"Parameters", "Attributes"} & sections(text)
    else:
        assert {"Parameters", "Returns"} <= sections(text)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = je.Nonsense  # type: ignore[attr-defined]


def test_version_is_the_distribution_s(repository: Path) -> None:
    assert f'version = "{je.__version__}"' in (repository / "pyproject.toml").read_text(encoding="utf-8")


def test_bare_import_loads_no_heavy_library(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, juntos_eval; print(*sys.modules)"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "juntos_eval" in loaded
    assert loaded.isdisjoint(HEAVY)


FIRST_FIT = """
import sys
import numpy as np
import pandas as pd
import juntos_eval as je
rng = np.random.default_rng(1)
frame = pd.DataFrame({"unit": np.repeat(np.arange(40), 2), "year": np.tile([1, 2], 40)})
frame["x"] = rng.normal(size=80)
frame["treated"] = (rng.random(80) < 0.5) * 1
frame["first"] = np.where(frame["unit"] < 20, 2.0, np.nan)
frame["y"] = frame["x"] + rng.normal(size=80)
models = {
    "regression": lambda: je.FixedEffects(outcome="y", covariates=("x",), absorb=("unit",)),
    "instruments": lambda: je.TwoStage(outcome="y", endogenous="treated", instruments=("x",)),
    "weighting": lambda: je.Weighting(outcome="y", treatment="treated", covariates=("x",)),
    "differences": lambda: je.GroupTime(outcome="y", unit="unit", time="year", first_treated="first"),
}
str(models[sys.argv[1]]().fit(frame, inference=je.Cluster("unit")))
print(*sys.modules)
"""


@pytest.mark.parametrize("model", ["regression", "instruments", "weighting", "differences"])
def test_a_first_fit_waits_for_no_library_that_it_has_no_use_for(model: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FIT, model], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "juntos_eval.inference.cluster" in loaded
    assert loaded.isdisjoint({"scipy.stats", "statsmodels", "linearmodels", "sklearn", "matplotlib"})
    assert model != "regression" or loaded.isdisjoint({"scipy.optimize", "scipy.spatial"})
