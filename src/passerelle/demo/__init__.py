"""`up`: the whole platform on one machine, with a demo account and a simulated operator.

It owns the embedded PostgreSQL and the other programs as child processes: one that dies is started again, and all of
them end with it, whatever ends it.
"""

EMAIL = "demo@example.org"
"""Of the demo account."""
