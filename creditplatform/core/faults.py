"""What of an exception may be written down: kinds, codes and places, never its words.

The words of an exception are whatever was at hand where it was raised: a cell of a delivered file in a
ValueError, a whole row in PostgreSQL's "Failing row contains (…)". So none is ever rendered.
"""

import errno
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from django.conf import settings

Fault: TypeAlias = dict[str, Any]
MOST_FRAMES = 40
MOST_FAULTS = 10
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
# What PostgreSQL tells of an error by name; the rest of its report (message, detail, hint, context) bears values.
_NAMES = {"schema": "schema_name", "table": "table_name", "column": "column_name", "constraint": "constraint_name"}


def describe(error: BaseException) -> list[Fault]:
    """An exception and what led to it, outermost first: type, codes, names of database objects, frames.

    Frames are `file:line function`, innermost last, at most MOST_FRAMES; files of ours are named from the root of
    the repository.
    """
    return [{"type": _type_of(one), **codes(one), "frames": _frames(one.__traceback__)} for one in _chain(error)]


def codes(error: BaseException) -> Fault:
    """The codes of an error: its own, SQLSTATE, errno; names of table, column and constraint; fields and problems."""
    found: Fault = {}
    own = getattr(error, "code", None)
    if isinstance(own, str) and _CODE.fullmatch(own):
        found["code"] = str(own)
    if isinstance(error, OSError) and error.errno is not None:
        found["errno"] = errno.errorcode.get(error.errno, str(error.errno))
    state = getattr(error, "pgcode", None)
    if isinstance(state, str):
        found["sqlstate"] = state
    report = getattr(error, "diag", None)
    names = {name: getattr(report, attribute, None) for name, attribute in _NAMES.items()}
    found |= {name: value for name, value in names.items() if isinstance(value, str)}
    problems = getattr(error, "problems", None)
    if isinstance(problems, list):
        found["problems"] = [code for one in problems if _CODE.fullmatch(code := str(getattr(one, "code", "")))]
    return found


def in_words(error: BaseException) -> str:
    """The same for a terminal, several lines, the cause first as Python has it."""
    lines = ["Traceback (innermost last; messages are left out, since they may hold personal values):"]
    for fault in reversed(describe(error)):
        lines += [f"  {frame}" for frame in fault.pop("frames")]
        kind = fault.pop("type")
        lines.append(" ".join([str(kind), *(f"{name}={value}" for name, value in fault.items())]))
    return "\n".join(lines) + "\n"


def install_hooks() -> None:
    """Let Python itself, in the main thread and in others, tell of uncaught exceptions in the same way."""
    sys.excepthook = _tell
    threading.excepthook = _tell_of_thread


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(in_words(error))


def _tell_of_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        sys.stderr.write(in_words(told.exc_value))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, the members of a group, then causes and contexts, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < MOST_FAULTS:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        before = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [before] if before is not None else []


def _type_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _frames(trace: TracebackType | None) -> list[str]:
    """Where it happened; neither the source lines nor what the variables held."""
    found = [
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in traceback.walk_tb(trace)
    ]
    return found[-MOST_FRAMES:]


def _short(file: str) -> str:
    """A file from the root of the repository, or of the place where packages are."""
    _, inside, rest = file.rpartition(f"{os.sep}site-packages{os.sep}")
    if inside:
        return rest
    root = str(settings.BASE_DIR) + os.sep
    return file.removeprefix(root) if file.startswith(root) else Path(file).name
