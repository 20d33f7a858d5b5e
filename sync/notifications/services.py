"""What others ask of notifications."""

from sync.notifications import deliveries, lateness


def tell_without_workers() -> None:
    """That nobody works, and what else waits to be mailed, from the process that notices it."""
    lateness.note_lateness()
    deliveries.deliver_here()
