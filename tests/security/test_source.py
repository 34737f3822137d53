"""The package's source holds no call through which data becomes code, or a check is switched off."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "breakpoint", "input", "pd.eval", "pandas.eval",
    "os.system", "os.popen", "os.execv", "os.spawnv", "yaml.load", "yaml.unsafe_load", "tempfile.mktemp",
}  # fmt: skip
# formulas of these three run whatever Python stands in them
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "telnetlib", "ftplib",
    "patsy", "formulaic", "statsmodels.formula", "statsmodels.formula.api",
}  # fmt: skip
FORBIDDEN_METHODS = {"to_pickle", "read_pickle"}
FORBIDDEN_ARGUMENTS = {"shell": True, "verify": False, "allow_pickle": True, "autoescape": False}


def _calls(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    if called in FORBIDDEN_CALLS:
        yield f"calls {called}"
    if isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_METHODS:
        yield f"calls {called}"
    if called.split(".")[0] == "joblib" and called.split(".")[-1] in {"load", "dump", "Memory"}:
        yield f"calls {called}"
    if called.split(".")[-1] == "Environment" and not any(k.arg == "autoescape" for k in node.keywords):
        yield "makes a template environment without saying autoescape="
    for keyword in node.keywords:
        said = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if said is not None and said is FORBIDDEN_ARGUMENTS.get(keyword.arg or ""):
            yield f"says {keyword.arg}={said} to {called}"


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    for name in names:
        if name in FORBIDDEN_MODULES or name.split(".")[0] in FORBIDDEN_MODULES:
            yield f"imports {name}"
    if isinstance(node, ast.ImportFrom) and node.module == "joblib":
        yield from (f"imports joblib.{a.name}" for a in node.names if a.name in {"load", "dump", "Memory"})


def dangers(source: str) -> list[str]:
    """What is forbidden in a piece of source, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            found += [f"line {node.lineno} {danger}" for danger in _calls(node)]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [f"line {node.lineno} {danger}" for danger in _imports(node)]
    return found


def test_package_holds_no_dangerous_call(repository: Path) -> None:
    modules = sorted((repository / "juntos_eval").rglob("*.py"))
    assert len(modules) > 10
    found = {
        str(path.relative_to(repository)): lines
        for path in modules
        if (lines := dangers(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "exec(text)",
        "import pickle",
        "from pickle import loads",
        "import statsmodels.formula.api as smf",
        "from statsmodels.formula import api",
        "from joblib import Memory",
        "joblib.load(path)",
        "frame.to_pickle(path)",
        "subprocess.run(command, shell=True)",
        "requests.get(url, verify=False)",
        "np.load(path, allow_pickle=True)",
        "jinja2.Environment(loader=loader)",
        "jinja2.Environment(loader=loader, autoescape=False)",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert dangers(source)


@pytest.mark.parametrize(
    "source",
    ["frame.evaluate()", "import joblib", "subprocess.run(command)", "jinja2.Environment(autoescape=True)"],
)
def test_the_search_leaves_harmless_code_alone(source: str) -> None:
    assert not dangers(source)


def test_templates_switch_escaping_off_nowhere(repository: Path) -> None:
    for path in (repository / "juntos_eval").rglob("*.html*"):
        assert "autoescape false" not in path.read_text(encoding="utf-8"), path
