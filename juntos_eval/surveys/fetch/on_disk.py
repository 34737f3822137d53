"""Which data files of a zip lie in a raw folder, fetched or placed there by hand."""

from __future__ import annotations

from pathlib import Path

from juntos_eval.surveys.catalog import CatalogFile
from juntos_eval.surveys.fetch.ledger import Ledger
from juntos_eval.surveys.fetch.unpack import folder_of, member_rules

__all__ = ["files_on_disk"]


def files_on_disk(root: Path, file: CatalogFile, ledger: Ledger) -> tuple[str, ...]:
    """Return the data files of a zip that are there, below the raw folder.

    Parameters
    ----------
    root : Path
        The raw folder.
    file : CatalogFile
    ledger : Ledger
        Of that folder.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.catalog import published
    >>> from juntos_eval.surveys.fetch import Ledger
    >>> from juntos_eval.surveys.fetch.on_disk import files_on_disk
    >>> files_on_disk(Path("nowhere"), published("enaho")[0], Ledger())
    ()
    """
    record = ledger.records.get(f"{file.survey}/{file.stored_name}")
    found = [name for name in record.files if (root / name).is_file()] if record is not None else []
    folder = folder_of(root, file)
    declared = {name.lower() for names, _ in member_rules(file) for name in names}
    present = sorted(folder.iterdir()) if folder.is_dir() else []
    found += [path.relative_to(root).as_posix() for path in present if path.name.lower() in declared]
    return tuple(dict.fromkeys(found))
