"""Test connection: named checks, each with its outcome in words. Reads only; nothing is written in AWS.

`table.CHECKS` says which checks there are, `outcomes.OUTCOMES` what each code means and asks for: page, command
and help derive from these two. A row of ConnectionTest.checks (all but the first two keys may lack):

    {"id": "A3", "state": "failed", "milliseconds": 112, "code": "token-refused", "facts": {"characters": 9},
     "request": "GET …/Users?count=1", "status": 401, "answer": "…", "because": "A2", "started": 1795512345.1}
"""

from sync.connection.checks.running import all_passed, broken_off, fact, half_works, run, waiting
from sync.connection.checks.table import CHECKS

__all__ = ["CHECKS", "all_passed", "broken_off", "fact", "half_works", "run", "waiting"]
