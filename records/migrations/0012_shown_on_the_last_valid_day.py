import datetime

from django.db import migrations
from django.db.models import F

from creditplatform.core import audit
from creditplatform.core.enums import Door

INVENTED = "电子商务领域失信名单（2017）"


def correct(apps, schema_editor):
    """Favourable and neutral records end on the day after the last valid one; no record bears a number nobody gave it."""
    records = apps.get_model("records", "CreditRecord").objects.filter(state="in_force")
    if not records.exists():
        return
    with audit.context(actor=None, door=Door.COMMAND, reason="end of validity counted from the day after it"):
        ending = records.exclude(polarity="negative").filter(publish_until__isnull=False)
        ending.update(publish_until=F("publish_until") + datetime.timedelta(days=1))
        records.filter(entry__code="ecommerce-dishonesty", document_number=INVENTED).update(document_number="")


class Migration(migrations.Migration):

    dependencies = [
        ("records", "0011_publication_by_law"),
    ]

    operations = [
        migrations.RunPython(correct, migrations.RunPython.noop),
    ]
