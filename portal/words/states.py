"""Every state that pages show: its word, its family of colours and its shape."""

from typing import Any

from django.utils.translation import gettext_lazy

# kind -> value -> (word, family, icon). Families good and neutral are drawn without a tint: quiet success.
STATUS: dict[str, dict[str, tuple[Any, str, str]]] = {
    "provisioning": {
        "on": (gettext_lazy("On"), "good", "circle-check"),
        "off": (gettext_lazy("Off"), "neutral", "minus"),
        "not_set_up": (gettext_lazy("Not set up"), "neutral", "minus"),
        "waiting_for_approval": (gettext_lazy("Waiting for approval"), "held", "hand-stop"),
        "quarantined": (gettext_lazy("Quarantined"), "held", "hand-stop"),
    },
    "half": {
        "not_tested": (gettext_lazy("Not tested"), "neutral", "minus"),
        "working": (gettext_lazy("Working"), "good", "circle-check"),
        "ends_soon": (gettext_lazy("Ends soon"), "attention", "alert-triangle"),
        "failing": (gettext_lazy("Failing"), "bad", "square-x"),
        "ended": (gettext_lazy("Ended"), "bad", "square-x"),
    },
    "check": {
        "waiting": (gettext_lazy("Waiting"), "neutral", "clock"),
        "checking": (gettext_lazy("Checking"), "running", "progress"),
        "passed": (gettext_lazy("Passed"), "good", "circle-check"),
        "warning": (gettext_lazy("Warning"), "attention", "alert-triangle"),
        "failed": (gettext_lazy("Failed"), "bad", "square-x"),
        "skipped": (gettext_lazy("Skipped"), "neutral", "minus"),
    },
    "run": {
        "queued": (gettext_lazy("Queued"), "neutral", "clock"),
        "running": (gettext_lazy("Running"), "running", "progress"),
        "cancelling": (gettext_lazy("Cancelling"), "running", "progress"),
        "waiting_for_approval": (gettext_lazy("Waiting for approval"), "held", "hand-stop"),
        "completed": (gettext_lazy("Completed"), "good", "circle-check"),
        "completed_with_errors": (gettext_lazy("Completed with errors"), "attention", "alert-triangle"),
        "failed": (gettext_lazy("Failed"), "bad", "square-x"),
        "cancelled": (gettext_lazy("Cancelled"), "neutral", "minus"),
    },
    "phase": {
        "waiting": (gettext_lazy("Not started"), "neutral", "circle-dashed"),
        "running": (gettext_lazy("Running"), "running", "progress"),
        "done": (gettext_lazy("Done"), "good", "circle-check"),
        "not_needed": (gettext_lazy("Not needed"), "neutral", "minus"),
        "stopped": (gettext_lazy("Stopped"), "bad", "square-x"),
    },
    "imported": {
        "taken": (gettext_lazy("Taken over"), "good", "circle-check"),
        "changed": (gettext_lazy("With a change"), "running", "edit"),
        "left_out": (gettext_lazy("Left out"), "attention", "alert-triangle"),
    },
    "task": {
        "not_started": (gettext_lazy("Not started"), "neutral", "circle-dashed"),
        "in_progress": (gettext_lazy("In progress"), "running", "progress"),
        "done": (gettext_lazy("Done"), "good", "circle-check"),
        "blocked": (gettext_lazy("Cannot start yet"), "neutral", "lock"),
    },
    "result": {
        "planned": (gettext_lazy("Waiting"), "neutral", "clock"),
        "sent": (gettext_lazy("Running"), "running", "progress"),
        **{
            value: (word, "good", "circle-check")
            for value, word in (
                ("created", gettext_lazy("Created")),
                ("updated", gettext_lazy("Updated")),
                ("disabled", gettext_lazy("Disabled")),
                ("deleted", gettext_lazy("Deleted")),
                ("enabled", gettext_lazy("Enabled")),
                ("linked", gettext_lazy("Linked")),
                ("added", gettext_lazy("Added")),
                ("removed", gettext_lazy("Removed")),
            )
        },
        "no_change": (gettext_lazy("No change"), "neutral", "minus"),
        "skipped": (gettext_lazy("Skipped"), "neutral", "minus"),
        "held": (gettext_lazy("Held"), "held", "hand-stop"),
        "will_retry": (gettext_lazy("Will retry"), "attention", "alert-triangle"),
        "failed": (gettext_lazy("Failed"), "bad", "square-x"),
    },
}
