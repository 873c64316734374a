#!/usr/bin/env python
"""Command line of the platform; beside a running `make run` of the same clone it uses those services."""

import os
import sys

from django.core.management import execute_from_command_line

from creditplatform.embedded.platform import use_running_services

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditplatform.settings")
    use_running_services()
    execute_from_command_line(sys.argv)
