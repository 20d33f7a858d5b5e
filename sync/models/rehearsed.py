"""What the preview of a draft would note on links; the links themselves are not touched."""

from django.db import models

from sync.models.link import KEYS, Keyed, Link
from sync.models.run import Run


class Rehearsed(Keyed):
    """Stands in for the link of one person or group while a preview lasts; its rows go when the run ends."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="rehearsed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "object_type", "object_id"], name="rehearsed_once"),
        ]
        indexes = [models.Index(fields=["run", "object_type", key], name=f"rehearsed_{key}") for key in KEYS]

    @classmethod
    def of(cls, run: Run, link: Link) -> "Rehearsed":
        names = ("object_type", "object_id", "scim_id", *KEYS)
        return cls(run=run, **{name: getattr(link, name) for name in names})
