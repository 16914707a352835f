"""A small folder of migrations that is swept on every version, in each dialect's own words."""

from __future__ import annotations

FIRST = """\
CREATE TABLE guests (id integer PRIMARY KEY, name varchar(80) NOT NULL, room varchar(20));
CREATE TABLE bills (
  id integer PRIMARY KEY, guest_id integer NOT NULL, cents integer NOT NULL, note varchar(90),
  CONSTRAINT bills_guest FOREIGN KEY (guest_id) REFERENCES guests (id)
);
"""
COMMON = {
    "1_first.up.sql": FIRST,
    "1_first.down.sql": "DROP TABLE bills;\nDROP TABLE guests;\n",
    "2_phone.up.sql": "ALTER TABLE guests ADD COLUMN phone varchar(20) DEFAULT 'none';\n"
    "UPDATE guests SET phone = 'some' WHERE id > 3;\n"
    "CREATE INDEX guests_phone ON guests (phone);\n",
    "4_view.up.sql": "CREATE VIEW dear AS SELECT id, cents FROM bills WHERE cents > 100;\n"
    "ALTER TABLE bills ADD CONSTRAINT bills_cents CHECK (cents < 2000000000);\n"
    "ALTER TABLE guests DROP COLUMN room;\n",
    "4_view.down.sql": "ALTER TABLE guests ADD COLUMN room varchar(20);\n"
    "ALTER TABLE bills DROP CONSTRAINT bills_cents;\nDROP VIEW dear;\n",
}
OF = {
    "postgres": {
        "2_phone.down.sql": "DROP INDEX guests_phone;\nALTER TABLE guests DROP COLUMN phone;\n",
        "3_wide.up.sql": "ALTER TABLE bills ALTER COLUMN cents TYPE bigint;\n"
        "ALTER TABLE bills ALTER COLUMN note SET DEFAULT 'paid';\n"
        "CREATE INDEX CONCURRENTLY bills_note ON bills (note);\n",
        "3_wide.down.sql": "DROP INDEX bills_note;\n"
        "ALTER TABLE bills ALTER COLUMN note DROP DEFAULT;\n"
        "ALTER TABLE bills ALTER COLUMN cents TYPE integer;\n",
    },
    "mysql": {
        "2_phone.down.sql": "DROP INDEX guests_phone ON guests;\n"
        "ALTER TABLE guests DROP COLUMN phone;\n",
        "3_wide.up.sql": "ALTER TABLE bills MODIFY COLUMN cents bigint NOT NULL;\n"
        "ALTER TABLE bills ALTER COLUMN note SET DEFAULT 'paid';\n"
        "CREATE INDEX bills_note ON bills (note);\n",
        "3_wide.down.sql": "DROP INDEX bills_note ON bills;\n"
        "ALTER TABLE bills ALTER COLUMN note DROP DEFAULT;\n"
        "ALTER TABLE bills MODIFY COLUMN cents integer NOT NULL;\n",
    },
}


def files(dialect: str) -> dict[str, str]:
    """By name."""
    return {**COMMON, **OF[dialect]}
