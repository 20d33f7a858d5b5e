#!/usr/bin/env python3
"""Django's command line for Lockstep."""

import os
import sys

from django.core.management import execute_from_command_line

from portal.deployment.starting import failing_in_words, keep_memory_off_the_disk

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    keep_memory_off_the_disk()
    with failing_in_words():
        execute_from_command_line(sys.argv)
