"""Tables as CSV, line by line: what spreadsheets need, and what they must not run."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# A cell that begins so, after blanks or not, is a formula to a spreadsheet (OWASP, CSV injection); full-width signs too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# str.strip() knows the blanks of Unicode, but not those without width.
NO_WIDTH = "\ufeff\u200b\u200c\u200d\u2060"


class Echo:
    """A file for the csv writer that hands each line straight back."""

    def write(self, line: str) -> str:
        return line


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    # Every cell is quoted: else a spreadsheet that splits at semicolons finds another cell within one.
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    # Spreadsheets take UTF-8 for what it is only with a byte order mark.
    yield "\ufeff" + writer.writerow(columns)
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(cell: object) -> str:
    text = str(cell).replace("\0", "")
    begins = text.lstrip(" " + NO_WIDTH).startswith(FORMULA) or text.strip().lstrip(NO_WIDTH).startswith(FORMULA)
    return f"'{text}" if begins else text
