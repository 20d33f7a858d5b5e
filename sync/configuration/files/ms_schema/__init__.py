"""Microsoft's synchronization schema as JSON (Graph, synchronizationSchema), read and written. Pure: no Django.

`read` makes our rows, filters and actions of it, `write` makes it of them; each with a report that has a line for every
attribute mapping and filter: taken over, taken over with a change, or left out, and why.
"""

from sync.configuration.files.ms_schema.forms import NotASchema, is_of_graph
from sync.configuration.files.ms_schema.reading import Read, read
from sync.configuration.files.ms_schema.reports import MESSAGES, ReportLine, ReportNote
from sync.configuration.files.ms_schema.writing import write

__all__ = ["MESSAGES", "NotASchema", "Read", "ReportLine", "ReportNote", "is_of_graph", "read", "write"]
