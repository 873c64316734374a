"""The rows of a check of many persons: read once, then kept sealed; no file in clear outlives the upload.

A kept file is a run of sealed blocks, each with its length before it: first the header with the places of name, number
and kind of document, then some hundred rows at a time. Memory does not grow with the rows.
"""

import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from creditplatform.core import sealed_files, vault
from creditplatform.core.errors import Invalid, NoRoom, wants_room
from records.feeds.mapping import header_key
from records.feeds.readers import Chunk, FeedFileError, Table, open_table
from records.feeds.readers.detect import detect_format
from records.feeds.vocabulary import IDENTIFIER_KINDS, fold
from records.models import BatchCheck
from records.queries.batch import AskedRow
from records.services.feeds import keep_file

MOST_ROWS = 100_000
READ, AT_A_TIME = 5_000, 500
SEALED_AS, LIST_INDEXED_AS = "records.BatchCheck.file", "records.BatchCheck.list_index"
FORMATS = ("xlsx", "xls", "csv")
NAME_HEADER, NUMBER_HEADER, KIND_HEADER = "姓名", "证件号码", "证件类型"
HEADERS = {
    "name": (NAME_HEADER, "名字", "人员姓名", "申请人姓名", "name", "full name"),
    "number": (
        NUMBER_HEADER, "证件号", "身份证号码", "身份证号", "身份证", "公民身份号码", "居民身份证号码", "居民身份证号",
        "number", "id number", "identity number", "document number",
    ),
    "kind": (KIND_HEADER, "证件种类", "kind", "document", "kind of document", "document type"),
}  # fmt: skip


class Sheet(msgspec.Struct):
    """Header of a kept file and the places of what is asked for; `kind` is -1 where no column says it."""

    header: list[str]
    name: int
    number: int
    kind: int = -1


class Line(msgspec.Struct, array_like=True):
    """A row as it was read."""

    number: int
    cells: list[str]

    def asked(self, sheet: Sheet) -> AskedRow:
        """Whom the row asks for."""
        kind = fold(self.at(sheet.kind))
        known = IDENTIFIER_KINDS.get(kind)
        return AskedRow(self.number, self.at(sheet.name), self.at(sheet.number), known.value if known else kind)

    def at(self, place: int) -> str:
        """The cell at a place; nothing where the row is shorter, or there is no such column."""
        return self.cells[place] if 0 <= place < len(self.cells) else ""


_lines = msgspec.json.Decoder(list[Line])


def take_in(blocks: Iterable[bytes]) -> tuple[str, int, bytes]:
    """Read an uploaded workbook or CSV and keep its rows sealed; the name of the kept file, how many rows it has, and a
    keyed digest of them, the same for the same rows in whatever form.

    Raises FeedFileError for what is no readable table; Invalid where it is of another format, the columns are wanting,
    or there is no row or more than MOST_ROWS; NoRoom.
    """
    kept = keep_file(blocks)
    try:
        if _format_of(kept.place) not in FORMATS:
            raise Invalid.in_field("file", "wrong_format", _("Please send the list as XLSX, XLS or CSV."))
        with open_table(kept.place) as table:
            return _seal(table)
    finally:
        kept.remove()


def _format_of(place: Path) -> str:
    """Which format a file has; nothing where it is no table. Raises FeedFileError for what is wrong within one."""
    try:
        return detect_format(place)
    except FeedFileError as error:
        if error.code == "not_a_table":
            return ""
        raise


def keep_list(people: Sequence[AskedRow]) -> str:
    """Keep a list that came as data, sealed like the rows of a file; the name of the kept file.

    Raises Invalid where there is nobody or more than MOST_ROWS; NoRoom.
    """
    _allow(len(people))
    if not people:
        raise Invalid.in_field("people", "no_rows", _("The list names nobody."))
    lines = [Line(one.row_number, [one.name, one.number, one.kind]) for one in people]
    return _write(Sheet([NAME_HEADER, NUMBER_HEADER, KIND_HEADER], 0, 1, 2), [lines])[0]


def _digested(parts: Iterable[list[Line]], digest: "hashlib._Hash") -> Iterator[list[Line]]:
    """The same rows, each part taken into a digest on its way."""
    for lines in parts:
        digest.update(msgspec.json.encode([line.cells for line in lines]))
        yield lines


def find_columns(header: Sequence[str]) -> Sheet:
    """Which column is which, by the names usual for them, whatever their spaces and widths. Raises Invalid."""
    keys = [header_key(text) for text in header]
    places = {
        field: next((keys.index(key) for key in map(header_key, names) if key in keys), -1)
        for field, names in HEADERS.items()
    }
    if places["name"] < 0 or places["number"] < 0:
        words = {"name": NAME_HEADER, "number": NUMBER_HEADER}
        sentence = _("The first row names the columns; one is called “%(name)s”, one “%(number)s”.") % words
        raise Invalid.in_field("file", "columns_missing", sentence)
    return Sheet(list(header), **places)


def sheet_of(batch: BatchCheck) -> Sheet:
    """The header of the file of a check."""
    return msgspec.json.decode(next(_blocks(batch)), type=Sheet)


def rows_of(batch: BatchCheck) -> Iterator[Line]:
    """The rows of the file of a check, in their order."""
    blocks = _blocks(batch)
    next(blocks)
    for block in blocks:
        yield from _lines.decode(block)


def asked_rows(batch: BatchCheck) -> Iterator[AskedRow]:
    """Whom the rows of a check ask for."""
    sheet = sheet_of(batch)
    return (line.asked(sheet) for line in rows_of(batch))


def remove(name: str) -> None:
    """Take a kept file away."""
    if name:
        sealed_files.remove(folder() / name)


def sweep() -> int:
    """Remove files that no check names, older than a day; returns how many. They hold personal values."""
    wanted = set(BatchCheck.objects.exclude(file="").values_list("file", flat=True))
    yesterday = time.time() - 24 * 3600
    left = [path for path in folder().iterdir() if path.name not in wanted and path.stat().st_mtime < yesterday]
    for path in left:
        sealed_files.remove(path)
    return len(left)


def folder() -> Path:
    """Where sealed rows lie; outside the web root, readable by the platform alone."""
    place = Path(settings.MEDIA_ROOT) / "checks"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


FILES = sealed_files.SealedFiles(
    "lists of checks", lambda: sealed_files.within(folder()), SEALED_AS, in_blocks=True
)  # fmt: skip


def _seal(table: Table) -> tuple[str, int, bytes]:
    sheet, digest = find_columns(table.header), hashlib.sha256()
    digest.update(msgspec.json.encode(sheet.header))
    name, count = _write(sheet, _digested((_lines_of(chunk) for chunk in table.chunks(READ)), digest))
    if not count:
        remove(name)
        raise Invalid.in_field("file", "no_rows", _("The file has a header, but no row below it."))
    return name, count, vault.blind_index(digest.hexdigest(), LIST_INDEXED_AS)


def _write(sheet: Sheet, parts: Iterable[list[Line]]) -> tuple[str, int]:
    """Write header and rows, sealed and whole on the disk; the name of the file and how many rows it holds."""
    place, count, key = folder() / secrets.token_hex(16), 0, vault.ring().current

    def blocks() -> Iterator[bytes]:
        nonlocal count
        yield _sealed(sheet)
        for lines in parts:
            count += len(lines)
            _allow(count)
            for at in range(0, len(lines), AT_A_TIME):
                yield _sealed(lines[at : at + AT_A_TIME])

    try:
        sealed_files.write(place, blocks())
        if vault.ring().current != key:  # the data key changed while it was written, and may have been walked past
            FILES.one_anew(place)
    except BaseException as error:
        place.unlink(missing_ok=True)
        if wants_room(error):
            raise NoRoom from error
        raise
    return place.name, count


def _allow(count: int) -> None:
    if count > MOST_ROWS:
        sentence = _("At most 100,000 persons are checked at once. Divide the file, and send each part.")
        raise Invalid.in_field("file", "too_many_rows", sentence)


def _lines_of(chunk: Chunk) -> list[Line]:
    """The rows of a chunk, ragged ones among them, in their order."""
    good = zip(chunk.row_numbers, map(list, zip(*chunk.columns, strict=True)), strict=True)
    lines = [Line(number, cells) for number, cells in good]
    lines += [Line(row.row_number, row.cells) for row in chunk.bad]
    return sorted(lines, key=lambda line: line.number) if chunk.bad else lines


def _sealed(content: object) -> bytes:
    block = vault.seal(msgspec.json.encode(content), SEALED_AS)
    return sealed_files.LENGTH.pack(len(block)) + block


def _blocks(batch: BatchCheck) -> Iterator[str]:
    with (folder() / batch.file).open("rb") as file:
        while size := file.read(sealed_files.LENGTH.size):
            yield vault.unseal(file.read(sealed_files.LENGTH.unpack(size)[0]), SEALED_AS)
