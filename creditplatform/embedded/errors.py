"""What can go wrong around the embedded services, in sentences for the person at the terminal."""


class ServiceError(Exception):
    """A service or the set-up cannot go on; the message says why and what to do."""


class StopRequested(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM while a step was still being waited for."""
