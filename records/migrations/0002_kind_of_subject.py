"""A record is about a subject of the kind it says: one foreign key over both, at the cost of one over the key alone."""

from django.db import migrations

ADD = """
ALTER TABLE records_creditrecord ADD CONSTRAINT record_subject_of_this_kind
    FOREIGN KEY (subject_id, subject_kind) REFERENCES records_subject (id, kind);
"""
DROP = "ALTER TABLE records_creditrecord DROP CONSTRAINT record_subject_of_this_kind;"


class Migration(migrations.Migration):
    """The model's own foreign key bears no constraint, since this one says more."""

    dependencies = [("records", "0001_initial")]
    operations = [migrations.RunSQL(ADD, DROP)]
