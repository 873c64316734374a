"""A clerk at the upload page, in a process of its own: `python -m tests.faults.upload FILE`."""

import json
import sys
import time
from pathlib import Path

import django


def main(path: Path) -> dict[str, object]:
    """Sign in, upload, see the receipt."""
    django.setup()
    from django.core.files.uploadedfile import SimpleUploadedFile  # Django has been set up by now
    from django.test import Client

    from creditplatform.core import audit
    from creditplatform.core.models import Agency, User
    from records.models import Feed
    from tests.cast import Role, member
    from tests.deliveries import FEED

    with audit.context(actor=None, door="command", reason="test"):
        agency = Agency.objects.get(code="hz-market")
        clerk = User.objects.filter(username="uploader").first() or member("uploader", agency, Role.CLERK)
    client = Client()
    client.force_login(clerk)
    started = time.monotonic()
    answer = client.post(
        "/desk/deliveries/new/",
        {"feed": Feed.objects.get(code=FEED).pk, "file": SimpleUploadedFile(path.name, path.read_bytes())},
    )
    seconds = time.monotonic() - started
    receipt = client.get(answer["Location"]) if answer.status_code == 302 else answer
    return {"status": answer.status_code, "receipt": receipt.status_code, "seconds": round(seconds, 2)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
