"""Ways a command ends badly, and the exit code of each."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What scripts see; 2 is what the parser of arguments uses too."""

    OK = 0
    RUN_FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


class InputError(Exception):
    """An argument, a file or a setting that can't be used as it is."""


class RunFailed(Exception):
    """The run ended, and not well; what happened has been shown."""
