"""Words of libraries that their own Chinese catalogues lack, named here so that ours carries them.

Nothing reads this list but the extraction of texts and its test, which says when a word is no longer needed.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

WORDS = (
    # django.contrib.admin
    gettext_noop("Error:"),
    gettext_noop("Model name"),
    gettext_noop("Add link"),
    gettext_noop("Change or view list link"),
    gettext_noop("After you’ve created a user, you’ll be able to edit more user options."),
    # django.db
    gettext_noop("%(model)s instance with %(field)s %(value)r is not a valid choice."),
    # import_export
    gettext_noop("Select all"),
    gettext_noop('Select at least 1 field for "%(resource_name)s" to export'),
)
COUNTED_WORDS = (
    # django.contrib.auth
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
        2,
    ),
    # import_export
    ngettext_lazy("Export %(len)s selected item.", "Export %(len)s selected items.", 2),
)
