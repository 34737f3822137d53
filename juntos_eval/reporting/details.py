"""What estimators say in English of their checks and their inference, for readers of Spanish too."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from juntos_eval.reporting.language import language
from juntos_eval.reporting.report_input import Label

__all__ = ["check_label", "detail_label", "inference_label"]

_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?![\d,])")
_DECIMALS = re.compile(r"(?<![\w.,])\d+\.\d+(?![\w.]*\w\()")


def check_label(name: str) -> Label:
    """Return a check's name in both languages, as estimators wrote it where the locale does not know it.

    Parameters
    ----------
    name : str

    Returns
    -------
    Label

    Examples
    --------
    >>> from juntos_eval.reporting.details import check_label
    >>> check_label("overlap").es, check_label("something new").es
    ('soporte común', 'something new')
    """
    return _known("check", name)


def inference_label(method: str) -> Label:
    """Return the name of an inference without its counts, which stand behind the colon.

    Parameters
    ----------
    method : str

    Returns
    -------
    Label

    Examples
    --------
    >>> from juntos_eval.reporting.details import inference_label
    >>> inference_label("survey design, linearised: 5,359 PSUs (psu)").es
    'diseño muestral, linealizado'
    """
    return _known("inference", method.partition(":")[0].strip())


def detail_label(detail: str) -> Label:
    """Return what a check saw in both languages.

    Parameters
    ----------
    detail : str
        In English, as estimators write it.

    Returns
    -------
    Label
        In Spanish as far as its fragments are known, numbers with decimal commas.

    Examples
    --------
    >>> from juntos_eval.reporting.details import detail_label
    >>> detail_label("0 of 36 standardised differences at or beyond 0.1").es
    '0 de 36 diferencias estandarizadas en 0,1 o más'
    """
    spanish = detail
    for pattern, replacement in _fragments():
        spanish = pattern.sub(replacement, spanish)
    return Label(detail, _with_commas(spanish) if spanish != detail else detail)


def _known(section: str, name: str) -> Label:
    key = f"{section}.{name}"
    return Label(language("en").words.get(key, name), language("es").words.get(key, name))


def _with_commas(text: str) -> str:
    words = language("es")

    def decimal(number: re.Match[str]) -> str:
        return number.group().replace(".", ",")

    def thousands(number: re.Match[str]) -> str:
        return words.integer(float(number.group().replace(",", "")))

    # whole numbers first: their commas are not decimal ones
    return _DECIMALS.sub(decimal, _THOUSANDS.sub(thousands, text))


@cache
def _fragments() -> tuple[tuple[re.Pattern[str], str], ...]:
    text = files("juntos_eval.reporting").joinpath("locale", "details.toml").read_text(encoding="utf-8")
    return tuple(
        (re.compile(entry["english"]), entry["spanish"]) for entry in tomllib.loads(text)["fragment"]
    )
