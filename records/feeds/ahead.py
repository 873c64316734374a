"""Reading and checking in a process of their own, while this one and the database write what was checked before."""

import fcntl
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path

import structlog
from django.db import connections

from creditplatform.core.errors import CreditError
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared, pack, unpack
from records.feeds.readers import Chunk, Table

CONTEXT = multiprocessing.get_context("fork")  # what was opened and remembered so far is there at once
FIRST_ENDS = (500, 2000)
PIPE_BYTES = 1 << 20
END, REFUSED = b"end", b"refused"
log = structlog.get_logger(__name__)


class Interrupted(RuntimeError):
    """The process that reads ahead was ended from outside; the batch stays as it is and can be resumed."""


@contextmanager
def prepared_ahead(table: Table, preparer: Preparer, *, done: int, chunk_size: int) -> Iterator[Iterator[Prepared]]:
    """Gives the chunks of a table, prepared; at most one is finished before it is asked for.

    No chunk lies on both sides of row `done`. What the file is refused for is raised at its place; Interrupted
    where somebody ended the other process, RuntimeError where it failed.
    """
    ours, theirs = CONTEXT.Pipe(duplex=False)
    chunks = _soon(_cut(table.chunks(chunk_size), done))
    process = CONTEXT.Process(target=_prepare_all, args=(ours, theirs, chunks, preparer), name="feed", daemon=True)
    process.start()
    theirs.close()
    try:
        yield _received(ours, process)
    finally:
        ours.close()
        process.kill()
        process.join()


def _received(connection: Connection, process: ForkProcess) -> Iterator[Prepared]:
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            process.join()
            ended_by = -(process.exitcode or 0)
            error = Interrupted if ended_by in {signal.SIGKILL, signal.SIGTERM} else RuntimeError
            raise error(f"reading ahead ended with status {process.exitcode}") from None
        if message == END:
            return
        if message == REFUSED:
            raise connection.recv()
        prepared = unpack(message)
        del message  # megabytes, like the next two
        yield prepared
        del prepared


def _prepare_all(ours: Connection, theirs: Connection, chunks: Iterator[Chunk], preparer: Preparer) -> None:
    """The life of the other process: chunk after chunk until the end, an error, or until nobody listens."""
    ours.close()
    _let_go_of_the_database()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    fcntl.fcntl(theirs.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        for chunk in chunks:
            theirs.send_bytes(pack(preparer.prepare(chunk)))
            del chunk
        theirs.send_bytes(END)
    except BrokenPipeError:
        return
    except CreditError as error:
        theirs.send_bytes(REFUSED)
        theirs.send(error)
    except Exception:
        log.exception("reading_ahead_failed")
        sys.exit(1)


def _let_go_of_the_database() -> None:
    """The sessions belong to the parent alone: were it killed, they would end with it, and so would its locks."""
    with Path(os.devnull).open("rb") as nothing:
        for connection in connections.all(initialized_only=True):
            if connection.connection is not None:
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
