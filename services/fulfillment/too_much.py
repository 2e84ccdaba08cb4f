"""More than one person has, which a person looks at: what they are told to look for, and which limit they can raise."""


def rows_of_one(most: int) -> str:
    """So many rows are found from one person that they may be somebody else's, too."""
    return (
        f"more than {most} rows lead from one person; where all of them are theirs, raise limits.max_rows in the"
        " system's file and have the task tried again"
    )


def matches_of_one(most: int, what: str, known_by: str) -> str:
    """So many match one identifier that it may be nobody's own: a shared telephone number, an address of the house."""
    return (
        f"more than {most} {what} match one {known_by}; where all of them are one person's, raise limits.max_matches,"
        " or limits.max_rows for what is only referred to, in the system's file and have the task tried again"
    )
