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
import pandas as pd
import juntos_eval as je
frame = pd.DataFrame({"unit": [1, 1, 2, 2, 3, 3], "x": [0, 1, 0, 0, 0, 1], "y": [1.0, 4, 2, 3, 5, 9]})
model = je.FixedEffects(outcome="y", covariates=("x",), absorb=("unit",))
str(model.fit(frame, inference=je.Cluster("unit")))
print(*sys.modules)
"""


def test_a_first_regression_waits_for_no_library_that_it_has_no_use_for() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_FIT], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {
        "scipy.stats",
        "scipy.optimize",
        "scipy.spatial",
        "statsmodels",
        "linearmodels",
        "sklearn",
        "matplotlib",
    }
    assert "juntos_eval.inference.cluster" in loaded
    assert not heavy & loaded
