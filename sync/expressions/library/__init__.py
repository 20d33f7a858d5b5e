"""The functions, by what they are for; importing a module enters its functions into the table.

Behaviour: Microsoft, "Reference for writing expressions for attribute mappings"; edges that page leaves open
follow its sister pages (Connect sync, cloud sync, Workday). Null in gives null out where nothing else is said.
"""
