"""What upkeep notes: what was removed last, how large the database is, day by day, and when it was backed up."""

from django.db import models


class Pruning(models.Model):
    """Of one kind of rows (sync/retention/kinds.py): when they were pruned last, and how many went."""

    kind = models.CharField(max_length=12, unique=True)
    at = models.DateTimeField()
    removed = models.PositiveBigIntegerField(default=0)
    # There was no time for all of them: the rest goes the next night.
    unfinished = models.BooleanField(default=False)


class DatabaseSize(models.Model):
    day = models.DateField(unique=True)
    bytes = models.PositiveBigIntegerField()


class Backup(models.Model):
    """The last one, made by the command or by another tool that told of it (`backup --noted`)."""

    at = models.DateTimeField(auto_now_add=True)
    # 0: not known.
    bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]
