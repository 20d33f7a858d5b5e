"""A guided tour of ten minutes: somebody arrives, something breaks and is explained, a deleted group is held."""

from dataclasses import dataclass
from html import escape

from lab.console.entra_side import TEAM
from lab.console.forms import form, link
from lab.console.state import PageState
from lab.console.world import World

GUEST = "Grace Hopper"


@dataclass(frozen=True, slots=True)
class TourStep:
    """`action`: the button of the console, about the person or group called `about`; `place`: a page of the tenant."""

    chapter: str
    title: str
    text: str
    action: str = ""
    label: str = ""
    about: str = ""
    place: str | None = None
    place_label: str = ""


ARRIVE, BREAK, HOLD = "1 · Somebody arrives", "2 · Something breaks", "3 · A group is deleted"
STEPS: tuple[TourStep, ...] = (
    TourStep(
        ARRIVE, "Turn provisioning on",
        "In Lockstep press Preview first, read whom it will create, then Turn on and start the first sync. "
        "On the right you see AWS fill.",
        place="provisioning/turn-on/", place_label="Turn provisioning on",
    ),
    TourStep(
        ARRIVE, f"Hire {GUEST}", f"She joins {TEAM}, a group that is assigned in Lockstep.",
        action="hire", label=f"Hire {GUEST}", about=TEAM,
    ),
    TourStep(
        ARRIVE, "Watch her arrive",
        "Press Sync now in Lockstep. The run takes a second: she stands on the right, in AWS, and the run says Created 1.",
        place="provisioning/", place_label="Sync now, in Lockstep",
    ),
    TourStep(
        BREAK, "Empty her last name", "Directories are full of people without one. AWS requires it.",
        action="no_last_name", label="Empty the last name", about=GUEST,
    ),
    TourStep(
        BREAK, "See it explained",
        "Press Sync now again. The run ends with errors: its problem says what AWS's rule is and what mends it, and her page "
        "says why in one sentence. Nobody else is held up.",
        place="runs/", place_label="Sync history, in Lockstep",
    ),
    TourStep(
        BREAK, "Mend it", "Give her the name back. The next sync brings her up to date by itself.",
        action="rename", label=f"Rename her to {GUEST}", about=GUEST,
    ),
    TourStep(
        HOLD, f"Delete {TEAM}", "A slip of the hand in Entra: 24 people lose the only group that brings them to AWS.",
        action="delete_group", label="Delete the group", about=TEAM,
    ),
    TourStep(
        HOLD, "See it held",
        "Press Sync now. AWS still has everybody: removals above your limit wait under Approvals, by name, while everything "
        "else goes on. Keep them, or approve them.",
        place="approvals/", place_label="Approvals, in Lockstep",
    ),
    TourStep(
        HOLD, "Back to start", "Put the company back as it was. Then switch on a fault above, and see what Lockstep says of it.",
        action="back_to_start", label="Back to start",
    ),
)  # fmt: skip


def tour_panel(world: World, state: PageState) -> str:
    if not 1 <= state.tour <= len(STEPS):
        start = link(state.address(tour=1, message=""), "Take the tour of ten minutes", ' class="button"')
        return (
            f'<p class="invite">{start} <span>Hire someone and watch them arrive; break something and see it explained; '
            "delete a group and see it held.</span></p>"
        )
    step = STEPS[state.tour - 1]
    return (
        f'<section class="tour" id="tour" aria-labelledby="tour-title"><p class="quiet">{escape(step.chapter)} · step '
        f'{state.tour} of {len(STEPS)}</p><h2 id="tour-title">{escape(step.title)}</h2><p>{escape(step.text)}</p>'
        f'<div class="actions">{_button(world, state, step)}{_place(world, step)}{_ways(state)}</div></section>'
    )


def _button(world: World, state: PageState, step: TourStep) -> str:
    if not step.action:
        return ""
    if not step.about:
        return form(state, step.action, step.label)
    found = _found(world, step.about)
    if not found:
        return f"<p>There is no {escape(step.about)}: go back a step.</p>"
    fields = {"id": found, "name": GUEST} if step.action == "rename" else {"id": found}
    return form(
        state, step.action, step.label, **({"group": found, "name": GUEST} if step.action == "hire" else fields)
    )


def _found(world: World, name: str) -> str:
    """The newest person or group of that name; a person without a last name goes by the display name all the same."""
    for table in ("users", "groups"):
        sql = f"SELECT id FROM {table} WHERE deleted = '' AND name = ? ORDER BY n DESC"
        if row := world.directory.db.one(sql, (name.lower(),)):
            return str(row["id"])
    return ""


def _place(world: World, step: TourStep) -> str:
    if step.place is None or not world.product:
        return ""
    return link(world.place(step.place), step.place_label, ' class="button"')


def _ways(state: PageState) -> str:
    before = link(state.address(tour=state.tour - 1, message="") + "#tour", "Step back") if state.tour > 1 else ""
    after = (
        link(state.address(tour=state.tour + 1, message="") + "#tour", "Next step") if state.tour < len(STEPS) else ""
    )
    return f"{before}{after}{link(state.address(tour=0, message=''), 'End the tour')}"
