"""Words and numbers as readers of English and of Peruvian Spanish write them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError

__all__ = ["DASH", "LANGUAGES", "Language", "language"]

LANGUAGES: Final = ("en", "es")
DASH: Final = "–"
_MINUS: Final = "\N{MINUS SIGN}"
_NARROW_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
#: What one unit of an estimate is multiplied by, and the digits shown.
_SCALES: Final[Mapping[str, tuple[float, int]]] = {"share": (100.0, 1), "score": (1.0, 2)}


@dataclass(frozen=True, slots=True)
class Language:
    """Words and number formats of one language.

    Attributes
    ----------
    code : {"en", "es"}
    words : Mapping of str to str
        ``section.key`` -> sentence with ``{placeholders}``.

    Examples
    --------
    >>> from juntos_eval.reporting.language import language
    >>> language("en").integer(33691), language("es").decimal(-0.5, 2)
    ('33,691', '−0,50')
    """

    code: Literal["en", "es"]
    words: Mapping[str, str]

    def say(self, key: str, /, **values: str) -> str:
        """Return a sentence with its placeholders filled.

        Raises
        ------
        SchemaError
            If the language does not have the sentence, or a placeholder is not filled.
        """
        try:
            return self.words[key].format(**values)
        except (KeyError, IndexError) as error:
            raise SchemaError(
                f"the report cannot say {key!r}",
                where=f"locale/{self.code}.toml, missing {error}",
                remedy="add the sentence, or the value that it asks for",
            ) from error

    def integer(self, value: float) -> str:
        """Return a whole number with its thousands set apart."""
        return self.decimal(value, 0)

    def decimal(self, value: float, digits: int, *, is_signed: bool = False) -> str:
        """Return a number with fixed digits; a dash where there is none."""
        if math.isnan(value):
            return DASH
        if math.isinf(value):
            return f"{_MINUS if value < 0 else ''}∞"
        text = f"{abs(value):,.{digits}f}"
        is_zero = not text.strip("0.,")
        sign = "" if is_zero else _MINUS if value < 0 else "+" if is_signed else ""
        if self.code == "es":
            text = text.replace(",", _NARROW_SPACE).replace(".", ",")
        return sign + text

    def percent(self, share: float, digits: int = 1) -> str:
        """Return a share as a percentage."""
        if math.isnan(share):
            return DASH
        space = "" if self.code == "en" else "\N{NO-BREAK SPACE}"
        return f"{self.decimal(100 * share, digits)}{space}%"

    def effect(self, value: float, unit: str, *, is_signed: bool = True) -> str:
        """Return a difference on the scale of its unit, without the unit's name."""
        scale, digits = _SCALES[unit]
        return self.decimal(scale * value, digits, is_signed=is_signed)

    def amount(self, value: float, unit: str, *, is_signed: bool = False) -> str:
        """Return a difference with the name of its unit."""
        return f"{self.effect(value, unit, is_signed=is_signed)} {self.say(f'unit.{unit}.name')}"

    def span(self, low: str, high: str) -> str:
        """Return an interval of two numbers that are already text."""
        return f"[{low}{'; ' if self.code == 'es' else ', '}{high}]"

    def p_value(self, value: float) -> str:
        """Return a p value, never as zero."""
        return f"<{self.decimal(0.001, 3)}" if value < 0.001 else self.decimal(value, 3)

    def listed(self, entries: list[str]) -> str:
        """Return a list of words with its "and"."""
        if len(entries) < 2:
            return "".join(entries)
        # Spanish "y" becomes "e" before the sound of i
        before_i = self.code == "es" and entries[-1].lower().startswith(("i", "hi"))
        return f"{', '.join(entries[:-1])} {'e' if before_i else self.say('word.and')} {entries[-1]}"


@cache
def language(code: str) -> Language:
    """Return a language with the words of its file.

    Parameters
    ----------
    code : {"en", "es"}

    Returns
    -------
    Language

    Raises
    ------
    SchemaError
        For another code.

    Examples
    --------
    >>> from juntos_eval.reporting.language import language
    >>> language("es").say("word.and")
    'y'
    """
    if code not in LANGUAGES:
        raise SchemaError(
            f"the report is not written in {code!r}", where="language", remedy=f"choose of {LANGUAGES}"
        )
    text = files("juntos_eval.reporting").joinpath("locale", f"{code}.toml").read_text(encoding="utf-8")
    return Language("en" if code == "en" else "es", FrozenMapping(dict(_flat(tomllib.loads(text)))))


def _flat(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)
