"""Reading and checking in a process of their own, while this one and the database write what was checked before."""

import fcntl
import os
import pickle
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NoReturn

import structlog
from django.db import connections
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from records.feeds.prepared import Prepared, pack, unpack
from records.feeds.readers import Chunk, Table
from records.feeds.reading import Reading

FIRST_ENDS = (500, 2000)
PIPE_BYTES = 1 << 20
PREPARED, END, REFUSED = b"prepared", b"complete", b"refused."  # eight bytes each
SHORT_OF_SOMETHING = os.EX_TEMPFAIL
# What a process dies of by its own fault; every other signal comes from outside.
FAULTS = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
log = structlog.get_logger(__name__)


class Interrupted(CreditError):
    """The work was ended from outside or for want of memory, files or disk; it can be taken up where it was left."""

    http_status = 503
    default_code = "interrupted"
    default_message = _("The work on this file was interrupted. Nothing is lost; it is taken up again by itself.")


@contextmanager
def prepared_ahead(table: Table, reading: Reading, *, done: int, chunk_size: int) -> Iterator[Iterator[Prepared]]:
    """Gives the chunks of a table, prepared; at most one is finished before it is asked for.

    No chunk lies on both sides of row `done`. What the file is refused for is raised at its place; Interrupted
    where the other process was ended from outside, RuntimeError where it failed.
    """
    # Forked by hand: workers of the task queue are daemons, to which multiprocessing allows no children.
    ours, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    reader = os.fork()
    if not reader:
        _live(ours, theirs, _soon(_cut(table.chunks(chunk_size), done)), reading)
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        try:
            yield _received(stream, reader)
        finally:
            os.kill(reader, signal.SIGKILL)  # it is ours until it is waited for, so the number is still its own
            os.waitpid(reader, 0)


def _received(stream: BinaryIO, reader: int) -> Iterator[Prepared]:
    while True:
        kind, message = _message(stream, reader)
        if kind == END:
            return
        if kind == REFUSED:
            raise pickle.loads(message)  # noqa: S301 — written by our own process
        prepared = unpack(message)
        del message  # megabytes, like the next one
        yield prepared
        del prepared


def _message(stream: BinaryIO, reader: int) -> tuple[bytes, bytes]:
    """The next message; raises Interrupted or RuntimeError where the other process ended in the middle of one."""
    head = stream.read(16)
    length = int.from_bytes(head[8:], "little")
    message = stream.read(length) if length else b""
    if len(head) == 16 and len(message) == length:
        return head[:8], message
    ended = os.waitid(os.P_PID, reader, os.WEXITED | os.WNOWAIT)
    status = ended.si_status if ended else 0
    by_signal = ended is not None and ended.si_code in {os.CLD_KILLED, os.CLD_DUMPED}
    if status == SHORT_OF_SOMETHING or (by_signal and status not in FAULTS):
        raise Interrupted
    raise RuntimeError(f"reading ahead ended with {'signal' if by_signal else 'status'} {status}")


def _live(ours: int, theirs: int, chunks: Iterator[Chunk], reading: Reading) -> NoReturn:
    """The life of the other process: it ends here and never returns to what the parent was about."""
    status = 1
    try:
        os.close(ours)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        _let_go_of_the_database()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        with os.fdopen(theirs, "wb", buffering=0) as stream:
            _prepare_all(stream, chunks, reading)
        status = 0
    except BrokenPipeError:
        status = 0  # nobody listens any more
    except (MemoryError, OSError):
        log.exception("reading_ahead_interrupted")
        status = SHORT_OF_SOMETHING
    except Exception:
        log.exception("reading_ahead_failed")
    finally:
        os._exit(status)


def _prepare_all(stream: BinaryIO, chunks: Iterator[Chunk], reading: Reading) -> None:
    try:
        for chunk in chunks:
            _send(stream, PREPARED, pack(reading.prepare(chunk)))
            del chunk
        _send(stream, END, b"")
    except CreditError as error:
        _send(stream, REFUSED, pickle.dumps(error))


def _send(stream: BinaryIO, kind: bytes, message: bytes) -> None:
    for part in (kind + len(message).to_bytes(8, "little"), message):
        left = memoryview(part)
        while left:
            left = left[stream.write(left) :]


def _let_go_of_the_database() -> None:
    """The sessions belong to the parent alone: were it killed, they would end with it, and so would its locks."""
    with Path(os.devnull).open("rb") as nothing:
        for connection in connections.all(initialized_only=True):
            if connection.connection is not None and not connection.connection.closed:
                os.dup2(nothing.fileno(), connection.connection.fileno())


def _cut(chunks: Iterator[Chunk], row: int) -> Iterator[Chunk]:
    """The chunks, one that holds this row and later ones cut behind it."""
    for chunk in chunks:
        if chunk.first_row <= row < chunk.last_row:
            yield chunk.part(chunk.first_row, row)
            yield chunk.part(row + 1, chunk.last_row)
        else:
            yield chunk


def _soon(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The chunks, a large first one in growing parts: the database need not wait until all of it is checked."""
    for chunk in islice(chunks, 1):
        ends = FIRST_ENDS if chunk.received > FIRST_ENDS[-1] else ()
        begin = chunk.first_row
        for end in [*(chunk.first_row + rows - 1 for rows in ends), chunk.last_row]:
            yield chunk.part(begin, end)
            begin = end + 1
    yield from chunks
