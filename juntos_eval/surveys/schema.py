"""Schemas of clean tables: types, ranges, labels, keys; a breach is counted and never shown."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.provenance import CleanTable, Provenance

if TYPE_CHECKING:
    import pandera.errors
    import pandera.pandas as pa

__all__ = ["Field", "SampleDesign", "TableSchema", "declared", "finish", "yes_no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a clean table.

    Attributes
    ----------
    name : str
    dtype : str
        ``str int float bool boolean category``; ``boolean`` may be missing.
    description, description_es : str
        For the data dictionary.
    is_nullable : bool
    labels : tuple of str
        The labels a category may have.
    minimum, maximum : float, optional
    width : int, optional
        Characters of a key.
    unit : str

    Examples
    --------
    >>> from juntos_eval.surveys.schema import Field
    >>> Field(name="age_years", dtype="float", description="Age", description_es="Edad", maximum=120).dtype
    'float'
    """

    name: str
    dtype: str
    description: str
    description_es: str
    is_nullable: bool = False
    labels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    width: int | None = None
    unit: str = ""

    def column(self) -> pa.Column:
        """Return pandera's description of the column."""
        with _without_pyspark():
            import pandera.pandas as pa

        checks = []
        if self.labels:
            checks.append(pa.Check.isin(list(self.labels), name="an allowed label"))
        if self.minimum is not None:
            checks.append(pa.Check.ge(self.minimum, name=f"at least {self.minimum:g}"))
        if self.maximum is not None:
            checks.append(pa.Check.le(self.maximum, name=f"at most {self.maximum:g}"))
        if self.width is not None:
            checks.append(pa.Check.str_length(self.width, self.width, name=f"of {self.width} characters"))
        return pa.Column(_PANDERA_TYPES[self.dtype], checks=checks, nullable=self.is_nullable)


_PANDERA_TYPES = {
    "str": "str",
    "int": "int64",
    "float": "float64",
    "bool": "bool",
    "boolean": "boolean",
    "category": pd.CategoricalDtype,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDesign:
    """Which columns of a clean table say how its rows were drawn.

    A table made with one carries it in ``frame.attrs["design"]``, through Parquet too:
    :meth:`juntos_eval.SurveyDesign.of` reads strata and psu there; ``weight`` is what a weighted estimator
    takes as ``weights``.

    Attributes
    ----------
    weight : str or None
        Expansion factor of a row; None where the survey has none.
    strata : str or None
        Stratum; None where the sample is one.
    psu : str or None
        Primary sampling unit.

    Examples
    --------
    >>> from juntos_eval.surveys.schema import SampleDesign
    >>> SampleDesign(weight="person_weight", strata="stratum", psu="psu").record()
    {'weight': 'person_weight', 'strata': 'stratum', 'psu': 'psu'}
    """

    weight: str | None = None
    strata: str | None = None
    psu: str | None = None

    def record(self) -> dict[str, str | None]:
        """Return it as plain values."""
        return {"weight": self.weight, "strata": self.strata, "psu": self.psu}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """What a clean table must be.

    Attributes
    ----------
    name, description, description_es : str
    key : tuple of str
        Columns that name a row.
    fields : tuple of Field
        In the order of the table.
    design : SampleDesign, optional
        Weight, strata and primary sampling units.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.schema import Field, TableSchema
    >>> age = Field(name="age_years", dtype="float", description="Age", description_es="Edad", maximum=120)
    >>> schema = TableSchema(name="a", description="", description_es="", key=("age_years",), fields=(age,))
    >>> schema.validate(pd.DataFrame({"age_years": [4.0]}), where="a.csv").shape
    (1, 1)
    """

    name: str
    description: str
    description_es: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    design: SampleDesign | None = None

    def names(self) -> list[str]:
        """Names of the columns, in their order."""
        return [field.name for field in self.fields]

    def validate(self, frame: pd.DataFrame, *, where: str) -> pd.DataFrame:
        """Return the table if it is what it must be.

        Parameters
        ----------
        frame : pandas.DataFrame
        where : str
            The file or files it came from.

        Returns
        -------
        pandas.DataFrame
            The same rows, columns in the schema's order.

        Raises
        ------
        SchemaError
            With each column, what it breaks, and in how many rows. No value of a record is shown.
        """
        with _without_pyspark():
            import pandera.errors
            import pandera.pandas as pa

        schema = pa.DataFrameSchema(
            {field.name: field.column() for field in self.fields},
            strict=True,
            unique=list(self.key),
            coerce=False,
        )
        try:
            with _without_pyspark():
                schema.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as error:
            raise SchemaError(
                f"The table {self.name} breaks its schema: {'; '.join(_breaches(error.schema_errors))}",
                where=where,
                remedy="the raw file holds what no release held: look at these columns in it",
            ) from None
        return frame[self.names()]


@contextmanager
def _without_pyspark() -> Iterator[None]:
    """Silence PySpark where it happens to be installed: pandera imports it, and it dislikes new pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark", category=FutureWarning)
        yield


def declared(
    survey: str,
    table: str,
    name: str,
    *,
    dtype: str,
    is_nullable: bool = False,
    limits: tuple[float | None, float | None] = (None, None),
    without: tuple[str, ...] = (),
) -> Field:
    """Describe a column that ``columns.csv`` and ``codes.csv`` describe already.

    Parameters
    ----------
    survey, table, name : str
    dtype : str
        See ``Field``.
    is_nullable : bool
    limits : tuple
        Least and greatest value.
    without : tuple of str
        Labels of rows that cleaning takes out.

    Returns
    -------
    Field

    Examples
    --------
    >>> from juntos_eval.surveys.schema import declared
    >>> declared("enaho", "members", "sex", dtype="category").labels
    ('male', 'female')
    """
    codebook = load_codebook(survey)
    column = codebook.column(table, name)
    labels = codebook.labels_of(table, name)
    return Field(
        name=name,
        dtype=dtype,
        description=column.label_en,
        description_es=column.label_es,
        is_nullable=is_nullable,
        labels=tuple(label for label in labels if label not in without) if dtype == "category" else (),
        minimum=limits[0],
        maximum=limits[1],
        width=column.width,
        unit=column.unit,
    )


def finish(frame: pd.DataFrame, schema: TableSchema, provenance: Provenance) -> CleanTable:
    """Validate a table and close its account of rows.

    Parameters
    ----------
    frame : pandas.DataFrame
    schema : TableSchema
    provenance : Provenance
        Its table and ``rows_out`` are set here.

    Returns
    -------
    CleanTable

    Raises
    ------
    SchemaError
        If the table breaks its schema, or rows are unaccounted for.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.provenance import Provenance
    >>> from juntos_eval.surveys.schema import Field, TableSchema, finish
    >>> age = Field(name="age", dtype="float", description="Age", description_es="Edad")
    >>> schema = TableSchema(name="ages", description="", description_es="", key=("age",), fields=(age,))
    >>> account = Provenance(survey="x", table="", year=None, rows_in=2, rows_out=0, dropped={"absent": 1})
    >>> finish(pd.DataFrame({"age": [4.0]}), schema, account).provenance.rows_out
    1
    """
    where = ", ".join(file.name for file in provenance.inputs)
    lost = provenance.rows_in - sum(provenance.dropped.values()) - len(frame)
    if lost:
        raise SchemaError(
            f"{abs(lost):,} rows of {schema.name} are unaccounted for",
            where=f"{where}: {provenance.rows_in:,} rows in, {len(frame):,} out",
            remedy="give every dropped row a reason",
        )
    validated = schema.validate(frame, where=where).reset_index(drop=True)
    if schema.design is not None:
        validated.attrs["design"] = schema.design.record()
    return CleanTable(
        frame=validated,
        provenance=replace(provenance, table=schema.name, rows_out=len(frame)),
    )


def _breaches(errors: Sequence[pandera.errors.SchemaError]) -> list[str]:
    return sorted(_breach(error) for error in errors)


def _breach(error: pandera.errors.SchemaError) -> str:
    reason = error.reason_code.name if error.reason_code else ""
    cases = error.failure_cases
    if reason in {"COLUMN_NOT_IN_DATAFRAME", "COLUMN_NOT_IN_SCHEMA"}:
        names = cases["failure_case"].tolist() if isinstance(cases, pd.DataFrame) else [cases]
        return f"{_SENTENCES[reason]}: {', '.join(str(name) for name in names)}"
    rows = f" ({len(cases):,} rows)" if isinstance(cases, pd.DataFrame) and reason != "WRONG_DATATYPE" else ""
    sentence = _SENTENCES.get(reason) or f"is not {getattr(error.check, 'name', None) or 'as declared'}"
    return f"{getattr(error.schema, 'name', None) or 'the key'} {sentence}{rows}"


_SENTENCES = {
    "COLUMN_NOT_IN_DATAFRAME": "columns are missing",
    "COLUMN_NOT_IN_SCHEMA": "columns are not declared",
    "DUPLICATES": "repeats",
    "SERIES_CONTAINS_NULLS": "is missing",
    "WRONG_DATATYPE": "is of another type",
}


def yes_no(name: str, description: str, description_es: str) -> Field:
    """Return the field of a question that was answered yes, no, or not at all.

    Examples
    --------
    >>> from juntos_eval.surveys.schema import yes_no
    >>> yes_no("is_ill", "Ill in the last four weeks", "Enfermo en las últimas cuatro semanas").dtype
    'boolean'
    """
    return Field(
        name=name, dtype="boolean", is_nullable=True, description=description, description_es=description_es
    )
