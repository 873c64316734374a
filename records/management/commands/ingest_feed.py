"""Take in a department's file from the command line."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, NotFoundHere
from records.enums import BatchState
from records.feeds.ahead import Interrupted
from records.feeds.mapping import ColumnsToConfirm
from records.models import Feed
from records.services.feeds import Receipt, file_blocks, receipt_of, receive_file, work_off


class Command(BaseCommand):
    """The same pipeline as every other door; run again after a crash, it finishes what was begun."""

    help = "Check a file against the catalogue and take its rows in. Prints a receipt whose counts add up."

    def add_arguments(self, parser: CommandParser) -> None:
        """Feed, file, and how the receipt is printed."""
        parser.add_argument("feed", help="code of the feed")
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="print the receipt as one JSON object")
        parser.add_argument(
            "--dated", type=datetime.date.fromisoformat, help="date of rows that bear none (feeds dated by receipt)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Receive, work off, print; exit code 1 where the file was refused."""
        try:
            receipt = self._ingest(options["feed"], options["file"], options["dated"])
        except (OperationalError, InterfaceError) as error:  # the database is away, full or in need of something
            self._refuse(Interrupted(), error, options)
        except CreditError as error:
            self._refuse(error, error, options)
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(receipt), ensure_ascii=False))
        else:
            self._print(receipt)
        if receipt.state == BatchState.REFUSED:
            raise CommandError(receipt.message)
        if receipt.state == BatchState.MAPPING:
            raise CommandError(ColumnsToConfirm.default_message)

    def _refuse(self, said: CreditError, error: Exception, options: dict[str, Any]) -> NoReturn:
        if options["json"]:
            self.stdout.write(json.dumps({"error": said.code, "message": said.message}, ensure_ascii=False))
        raise CommandError(said.message) from error

    def _ingest(self, code: str, path: Path, dated_on: datetime.date | None) -> Receipt:
        feed = Feed.objects.of_units().select_related("agency", "entry").filter(code=code).first()
        if feed is None:
            known = ", ".join(Feed.objects.of_units().order_by("code").values_list("code", flat=True))
            raise NotFoundHere("feed_unknown", _("There is no such feed. Known feeds: %(known)s"), known=known)
        if not path.is_file():
            raise NotFoundHere("file_unknown", _("The file does not exist or cannot be read."))
        with audit.context(actor=None, door=Door.COMMAND, reason="receive file", agency_id=feed.agency_id):
            batch = receive_file(
                feed=feed, blocks=file_blocks(path), file_name=path.name, door=Door.COMMAND, dated_on=dated_on
            )
        return receipt_of(work_off(batch))

    def _print(self, receipt: Receipt) -> None:
        for name in ("received", "accepted", "unchanged", "quarantined", "rejected"):
            self.stdout.write(f"{name:12} {getattr(receipt, name):>9,}")
        for code, count in receipt.problems.items():
            self.stdout.write(f"  {code:24} {count:>9,}")
