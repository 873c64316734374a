"""One delivery through the pipeline in a process of its own: `python -m benchmarks.delivery FEED FILE`.

Prints what it measured as JSON; a process of its own, so that its peak memory is that of the pipeline alone.
"""

import json
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

import django

DOOR_REASON = "benchmark"


def peak_mb() -> float:
    """The largest memory of this process and of the one that read ahead, in MiB; what both share counts twice.

    Linux tells it without what the parent held before us. Deliveries are watched from outside, see `benchmarks.memory`.
    """
    try:
        kib = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    except OSError:
        kib = None
    own = int(kib[1]) if kib else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def deliver(code: str, path: Path) -> dict[str, Any]:
    """Receive a file and work it off as every door does; counts, seconds for both, and peak memory."""
    from creditplatform.core import audit
    from creditplatform.core.enums import Door
    from records.models import Feed
    from records.services import feeds

    feed = Feed.objects.select_related("agency", "entry").get(code=code)
    started = time.perf_counter()
    with audit.context(actor=None, door=Door.COMMAND, reason=DOOR_REASON, agency_id=feed.agency_id):
        batch = feeds.receive_file(feed=feed, blocks=feeds.file_blocks(path), file_name=path.name, door=Door.COMMAND)
    batch = feeds.work_off(batch)
    seconds = time.perf_counter() - started
    return {
        "state": batch.state, "received": batch.received, "accepted": batch.accepted, "unchanged": batch.unchanged,
        "seconds": seconds, "peak_mb": peak_mb(),
    }  # fmt: skip


if __name__ == "__main__":
    django.setup()
    print(json.dumps(deliver(sys.argv[1], Path(sys.argv[2]))))
