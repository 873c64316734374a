"""Where tests find a browser, and how a module says that it needs one."""

import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def without_browser(missed: str) -> pytest.MarkDecorator:
    """Passed over where there is none, saying what was not looked at; never in the checks of every change."""
    missing = CHROMIUM is None and os.environ.get("CI") != "true"
    return pytest.mark.skipif(missing, reason=f"NO CHROMIUM FOUND: {missed}")


def in_a_browser(missed: str) -> list[pytest.MarkDecorator]:
    """The marks of a module whose tests walk through pages of a served platform with its policy."""
    return [
        pytest.mark.browser,
        pytest.mark.django_db(transaction=True),
        pytest.mark.usefixtures("policy"),
        without_browser(missed),
    ]
