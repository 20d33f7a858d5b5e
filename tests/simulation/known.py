"""Faults of the product that were found and are not mended yet. What they would break is not checked as long as they stand here."""

OPEN: dict[str, str] = {
    "F2": "the limit on changed names misses everybody whom the confirmed plan listed",
    "F3": "a deleted group's ghost blocks its name for ever",
    "F5": "one false 404 loses a leaver",
    "S2": "whoever gets a manager that AWS refuses keeps the one before",
    "S1": "a reading that is doubted still makes people and groups that it did not see",
    "F6": "a refused create of a person with a manager is sent in every run",
}
