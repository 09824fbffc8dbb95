"""What a study shows, as plain data: a function each from a `StudySummary` to a frozen dataclass.

Nothing here knows how it is drawn: the module of the same name in `figures` does.
"""
