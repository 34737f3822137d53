"""Impact evaluation of Peru's conditional cash transfer Juntos.

``import juntos_eval as je`` offers every public name (``__init__.pyi`` lists them) and imports a module when
one of its names is first used, so that the bare import costs next to nothing.

Examples
--------
>>> import juntos_eval as je
>>> "Estimate" in dir(je)
True
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Final


def _read_public_names() -> dict[str, str]:
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


# name -> the module that lends it
PUBLIC_NAMES: Final = _read_public_names()

__all__ = ["__version__", *sorted(PUBLIC_NAMES)]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    value: object
    if name == "__version__":
        value = import_module("importlib.metadata").version("juntos-eval")
    elif name in PUBLIC_NAMES:
        value = getattr(import_module(PUBLIC_NAMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
