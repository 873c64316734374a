"""Whole columns as one JSON object per row, made at once instead of row by row."""

from collections.abc import Sequence

import msgspec

_encode_lines = msgspec.json.Encoder().encode_lines


class ContentEncoder:
    """Writes the values of rows by field code, empty ones left out; the order of the fields is kept."""

    def __init__(self, codes: Sequence[str]) -> None:
        names = [f"field_{number}" for number in range(len(codes))]
        self._row = msgspec.defstruct(
            "Content",
            [(name, str, "") for name in names],
            rename=dict(zip(names, codes, strict=True)),
            omit_defaults=True,
            gc=False,
        )

    def encode(self, columns: Sequence[Sequence[str]], length: int) -> list[bytes]:
        """One JSON object per row; about a microsecond for a row of fifteen fields."""
        if not columns:
            return [b"{}"] * length
        # JSON writes line breaks inside texts as \n, so lines are rows.
        return _encode_lines(list(map(self._row, *columns))).split(b"\n")[:-1]
