"""What a text tells by its words: which dialect it is written in, and what it names."""

from __future__ import annotations

import re
from collections.abc import Mapping

SIGNS: Mapping[str, re.Pattern[str]] = {
    "postgres": re.compile(
        r"\b(?:BIG)?SERIAL\b|\$\$|::\w|\bTIMESTAMPTZ\b|\bJSONB\b|\bBYTEA\b|\bCONCURRENTLY\b"
        r"|\bWITH(?:OUT)? TIME ZONE\b|\bplpgsql\b|\bIF NOT EXISTS \w+ ON\b|\bNOT VALID\b",
        re.IGNORECASE,
    ),
    "mysql": re.compile(
        r"\bAUTO_INCREMENT\b|\bENGINE\s*=|`\w+`|\bDELIMITER\b|\bUNSIGNED\b|\bMEDIUMTEXT\b"
        r"|\bCHARSET\b|\bTINYINT\b|\bMODIFY COLUMN\b|\bON UPDATE CURRENT_TIMESTAMP\b",
        re.IGNORECASE,
    ),
}
"""Words that one server knows and the other refuses."""


def words_of_each(text: str) -> dict[str, int]:
    """Dialect → how many words that only its servers know are in the text."""
    return {dialect: len(signs.findall(text)) for dialect, signs in SIGNS.items()}


def is_named(text: str, name: str) -> bool:
    """Whether the text has the name as a word of its own, in whatever letters."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
