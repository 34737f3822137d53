"""Stata files of old releases, byte by byte from the published layout: no library writes them any more."""

from __future__ import annotations

import struct

#: Bytes of (data label, variable name, display format, value-label name, variable label) by release.
OLD_RELEASES = {
    105: (32, 9, 12, 9, 32),
    108: (81, 9, 12, 9, 81),
    110: (81, 33, 12, 33, 81),
    111: (81, 33, 12, 33, 81),
    113: (81, 33, 12, 33, 81),
    114: (81, 33, 49, 33, 81),
    115: (81, 33, 49, 33, 81),
}

#: Name, type, value label and label; the types are INEI's: texts of fixed width and every width of number.
COLUMNS = (
    ("hogar", "s2", "", "Número de hogar"),
    ("p203", "b", "P203", "Relación de parentesco"),
    ("mes", "i", "", "Mes"),
    ("nconglome", "l", "", ""),
    ("fexp", "f", "", ""),
    ("factor07", "d", "", "Factor de expansión"),
)
ROWS = ((b"11", 1, 0, 0, 0.5, 0.25), (b"12", 2, 100, 70_000, 1.5, 1.25))


def old_stata(release: int, order: str = "<", *, with_labels: bool = True) -> bytes:
    """Return a file of two rows and a third in which every number is missing.

    From release 113 on the missing ones are ``.a`` in the byte, ``.b`` in the int, ``.`` in the long and the
    float, ``.z`` in the double.
    """
    data_label, name, display, value_label, label = OLD_RELEASES[release]
    parts = [
        struct.pack(f"{order}BBBBHi", release, 1 if order == ">" else 2, 1, 0, len(COLUMNS), 3),
        b"ENAHO".ljust(data_label, b"\0"),
        b"01 Jan 2008 12:00".ljust(18, b"\0"),
        bytes(_type(kind, release) for _, kind, _, _ in COLUMNS),
        *(column[0].encode().ljust(name, b"\0") for column in COLUMNS),
        bytes(2 * (len(COLUMNS) + 1)),
        *((b"%2s" if column[1][0] == "s" else b"%9.0g").ljust(display, b"\0") for column in COLUMNS),
        *(column[2].encode().ljust(value_label, b"\0") for column in COLUMNS),
        *(column[3].encode("latin-1").ljust(label, b"\0") for column in COLUMNS),
        struct.pack(f"{order}{'bh' if release <= 108 else 'bi'}", 0, 0),
        *(row[0] + struct.pack(f"{order}bhifd", *row[1:]) for row in ROWS),
        _missing_row(release, order),
    ]
    return b"".join(parts) + (_value_labels(order, name) if with_labels else b"")


def _type(kind: str, release: int) -> int:
    if kind[0] == "s":
        return int(kind[1:]) + (127 if release <= 110 else 0)
    return ord(kind) if release <= 110 else {"b": 251, "i": 252, "l": 253, "f": 254, "d": 255}[kind]


def _missing_row(release: int, order: str) -> bytes:
    if release >= 113:
        values = (102, 32_743, 2_147_483_621, 2.0**127, 2.0**1023 + 26 * 2.0**1011)
    else:
        values = (127, 32_767, 2_147_483_647, 2.0**127, 2.0**333 if release == 105 else 2.0**1023)
    return b"11" + struct.pack(f"{order}bhifd", *values)


def _value_labels(order: str, name: int) -> bytes:
    text = b"jefe\0c\xf3nyuge\0"
    table = struct.pack(f"{order}6i", 2, len(text), 0, 5, 1, 2) + text
    return struct.pack(f"{order}i", len(table)) + b"P203".ljust(name, b"\0") + bytes(3) + table
