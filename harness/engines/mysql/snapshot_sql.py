"""The catalogue queries of MySQL's and MariaDB's snapshot: one message for a whole database.

Tables, views and sequences are only listed here: what they are is told by ``SHOW CREATE``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Listing:
    """One kind of object in a table of the catalogue.

    ``key`` are the parts of its name, the table's first; ``order`` tells which row comes first
    where an object has several; ``words`` are expressions with the text in which each value
    stands in the definition. A value of NULL is left out. ``since`` is the version of MySQL that
    has the table, as a comment for older ones and for MariaDB names it.
    """

    kind: str
    source: str
    space: str
    key: tuple[str, ...]
    words: tuple[tuple[str, str], ...]
    where: str = "TRUE"
    order: str = "0"
    since: str = ""


def word(column: str, text: str = "{}") -> tuple[str, str]:
    """A column's value in the text, left out if it is empty or NULL."""
    return f"NULLIF(CAST({column} AS BINARY), '')", text


def flag(condition: str, text: str) -> tuple[str, str]:
    """The text if the condition holds."""
    return f"IF({condition}, '', NULL)", text


BY_PROGRAM = (word("SQL_MODE", "MODE {}"), word("DEFINER", "DEFINER {}"))

DATABASE = Listing(
    "database",
    "information_schema.schemata",
    "SCHEMA_NAME",
    ("'default'",),
    (
        word("DEFAULT_CHARACTER_SET_NAME"),
        word("DEFAULT_COLLATION_NAME", "COLLATE {}"),
        flag("DEFAULT_ENCRYPTION = 'YES'", "ENCRYPTION"),
    ),
)
DATABASE_OPTIONS = Listing(
    "database",
    "information_schema.schemata_extensions",
    "SCHEMA_NAME",
    ("'default'",),
    (word("OPTIONS"),),
    order="1",
    since="80022",
)
RELATIONS = Listing(
    "relation",
    "information_schema.tables",
    "TABLE_SCHEMA",
    ("TABLE_TYPE", "TABLE_NAME"),
    (word("IF(ENGINE = 'InnoDB', ROW_FORMAT, NULL)", "ROW_FORMAT {}"),),
    where="TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE', 'VIEW')",
)
COLLATIONS = Listing(
    "collation",
    "information_schema.columns",
    "TABLE_SCHEMA",
    ("TABLE_NAME", "COLUMN_NAME"),
    (word("COLLATION_NAME"),),
    where="COLLATION_NAME IS NOT NULL",
)
"""A column is shown with its collation only if the table's default is another one."""
HISTOGRAMS = Listing(
    "histogram",
    "information_schema.column_statistics",
    "SCHEMA_NAME",
    ("TABLE_NAME", "COLUMN_NAME"),
    (
        word("JSON_EXTRACT(HISTOGRAM, '$.\"number-of-buckets-specified\"')", "{} BUCKETS"),
        flag("JSON_EXTRACT(HISTOGRAM, '$.\"auto-update\"') = true", "AUTO UPDATE"),
    ),
    since="80000",
)
"""That somebody asked for one, not what the server counted."""
TRIGGERS = Listing(
    "trigger",
    "information_schema.triggers",
    "TRIGGER_SCHEMA",
    ("EVENT_OBJECT_TABLE", "TRIGGER_NAME"),
    (
        word("ACTION_TIMING"),
        word("EVENT_MANIPULATION"),
        word("ACTION_ORDER", "No. {}"),
        word("ACTION_STATEMENT"),
        *BY_PROGRAM,
    ),
)
ROUTINES = Listing(
    "routine",
    "information_schema.routines",
    "ROUTINE_SCHEMA",
    ("ROUTINE_TYPE", "ROUTINE_NAME"),
    (
        flag("IS_DETERMINISTIC = 'YES'", "DETERMINISTIC"),
        word("SQL_DATA_ACCESS"),
        word("SECURITY_TYPE", "SECURITY {}"),
        word("NULLIF(EXTERNAL_LANGUAGE, 'SQL')", "LANGUAGE {}"),
        word("ROUTINE_DEFINITION"),
        word("ROUTINE_COMMENT", "COMMENT {!r}"),
        *BY_PROGRAM,
    ),
    order="1000",
)
PARAMETERS = Listing(
    "routine",
    "information_schema.parameters",
    "SPECIFIC_SCHEMA",
    ("ROUTINE_TYPE", "SPECIFIC_NAME"),
    (
        flag("ORDINAL_POSITION = 0", "RETURNS"),
        word("PARAMETER_MODE"),
        word("PARAMETER_NAME", "`{}`"),
        word("DTD_IDENTIFIER"),
        word("COLLATION_NAME", "COLLATE {}"),
    ),
    order="ORDINAL_POSITION",
)
LIBRARIES = Listing(
    "library",
    "information_schema.libraries",
    "LIBRARY_SCHEMA",
    ("LIBRARY_NAME",),
    (
        word("LANGUAGE"),
        word("LIBRARY_DEFINITION"),
        word("LIBRARY_COMMENT", "COMMENT {!r}"),
        word("SQL_MODE", "MODE {}"),
    ),
    since="90200",
)
USED_LIBRARIES = Listing(
    "routine",
    "information_schema.routine_libraries",
    "ROUTINE_SCHEMA",
    ("ROUTINE_TYPE", "ROUTINE_NAME"),
    (
        word("NULLIF(LIBRARY_SCHEMA, DATABASE())", "USING FROM {}"),
        word("LIBRARY_NAME", "USING {}"),
        word("LIBRARY_VERSION"),
    ),
    order="2000",
    since="90200",
)
EVENTS = Listing(
    "event",
    "information_schema.events",
    "EVENT_SCHEMA",
    ("EVENT_NAME",),
    (
        word("STATUS"),
        flag("EXECUTE_AT IS NOT NULL", "ONCE"),
        word("INTERVAL_VALUE", "EVERY {}"),
        word("INTERVAL_FIELD"),
        flag("ENDS IS NOT NULL", "UNTIL AN END"),
        word("ON_COMPLETION", "ON COMPLETION {}"),
        word("EVENT_DEFINITION"),
        word("EVENT_COMMENT", "COMMENT {!r}"),
        word("TIME_ZONE", "ZONE {}"),
        *BY_PROGRAM,
    ),
)
"""Without the moments at which it begins and ends: the server counts them from when it was made."""

GRANTEE = word("CONCAT(QUOTE(User), '@', QUOTE(Host))")

GRANTS = (
    Listing(
        "grant",
        "information_schema.schema_privileges",
        "REPLACE(TABLE_SCHEMA, CHAR(92), '')",
        ("'database'", "'default'"),
        (
            word("GRANTEE"),
            word("CONCAT(PRIVILEGE_TYPE, IF(IS_GRANTABLE = 'YES', ' (may grant)', ''))"),
        ),
    ),
    Listing(
        "grant",
        "mysql.tables_priv",
        "Db",
        ("'table'", "Table_name"),
        (GRANTEE, word("Table_priv")),
        where="Table_priv <> ''",
    ),
    Listing(
        "grant",
        "mysql.columns_priv",
        "Db",
        ("'column'", "Table_name", "Column_name"),
        (GRANTEE, word("Column_priv")),
    ),
    Listing(
        "grant",
        "mysql.procs_priv",
        "Db",
        ("LOWER(Routine_type)", "Routine_name"),
        (GRANTEE, word("Proc_priv")),
    ),
)  # fmt: skip
"""Only what names this database: a pattern that fits it belongs to the server."""

LISTINGS = (
    DATABASE, DATABASE_OPTIONS, RELATIONS, COLLATIONS, HISTOGRAMS, TRIGGERS, ROUTINES, PARAMETERS,
    LIBRARIES, USED_LIBRARIES, EVENTS, *GRANTS,
)  # fmt: skip

KEY_PARTS = 3


def union(listings: tuple[Listing, ...]) -> str:
    """All listings in one result: number of the listing, order, parts of the key, values.

    Everything comes as bytes, for the catalogue has columns of several collations, and these
    cannot stand one under the other.
    """
    width = max(len(listing.words) for listing in listings)
    first, *rest = (
        (listing.since, _select(number, listing, width)) for number, listing in enumerate(listings)
    )
    return first[1] + "".join(
        f" /*!{since} UNION ALL {select} */" if since else f" UNION ALL {select}"
        for since, select in rest
    )


def _select(number: int, listing: Listing, width: int) -> str:
    key = (*listing.key, *("NULL",) * (KEY_PARTS - len(listing.key)))
    values = (
        *(expression for expression, _ in listing.words),
        *("NULL",) * (width - len(listing.words)),
    )
    as_bytes = ", ".join(f"CAST({expression} AS BINARY)" for expression in (*key, *values))
    return (
        f"SELECT {number}, {listing.order}, {as_bytes} FROM {listing.source} "
        f"WHERE {listing.space} = DATABASE() AND {listing.where}"
    )
