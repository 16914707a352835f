"""What SHOW CREATE TABLE tells, taken apart: every line is a part, and nothing is lost."""

from __future__ import annotations

import pytest

from harness.engines.mysql.shown_tables import take_apart

MYSQL = r"""CREATE TABLE `t` (
  `id` int NOT NULL AUTO_INCREMENT,
  `a``b` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'x COLLATE y',
  `e` enum('a CHARACTER SET z','b, (c)') NOT NULL COMMENT 'it''s, `so`\n',
  `g` int GENERATED ALWAYS AS ((`id` * 2)) VIRTUAL /*!80023 INVISIBLE */,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u k` (`a``b`(5),`id` DESC) COMMENT 'x, y',
  KEY `x` ((upper(`e`))) /*!80000 INVISIBLE */,
  FULLTEXT KEY `ft` (`a``b`) /*!50100 WITH PARSER `ngram` */ ,
  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `o` (`id`) ON DELETE CASCADE,
  CONSTRAINT `c` CHECK ((`id` > 0)) /*!80016 NOT ENFORCED */
) /*!50100 TABLESPACE `ts` */ ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4 COMMENT='a) b'
/*!50100 PARTITION BY RANGE (`id`)
SUBPARTITION BY HASH (`id`)
(PARTITION p1 VALUES LESS THAN (10)
 (SUBPARTITION s1 COMMENT = 'q)' ENGINE = InnoDB,
  SUBPARTITION `s 2` ENGINE = InnoDB),
 PARTITION p2 VALUES LESS THAN MAXVALUE
 (SUBPARTITION s3 ENGINE = InnoDB,
  SUBPARTITION s4 MAX_ROWS = 5 ENGINE = InnoDB)) */"""

OF_MYSQL = [
    ("column", "id", "int NOT NULL AUTO_INCREMENT"),
    ("column", "a`b", "varchar(20) DEFAULT 'x COLLATE y' COLLATE latin1_bin"),
    ("column", "e", r"enum('a CHARACTER SET z','b, (c)') NOT NULL COMMENT 'it''s, `so`\n'"),
    ("column", "g", "int GENERATED ALWAYS AS ((`id` * 2)) VIRTUAL /*!80023 INVISIBLE */"),
    ("index", "PRIMARY", "PRIMARY KEY (`id`)"),
    ("index", "u k", "UNIQUE KEY (`a``b`(5),`id` DESC) COMMENT 'x, y'"),
    ("index", "x", "KEY ((upper(`e`))) /*!80000 INVISIBLE */"),
    ("index", "ft", "FULLTEXT KEY (`a``b`) /*!50100 WITH PARSER `ngram` */"),
    ("constraint", "f", "FOREIGN KEY (`id`) REFERENCES `o` (`id`) ON DELETE CASCADE"),
    ("constraint", "c", "CHECK ((`id` > 0)) /*!80016 NOT ENFORCED */"),
    ("partition", "p1", "VALUES LESS THAN (10)"),
    ("partition", "p1.s1", "COMMENT = 'q)'"),
    ("partition", "p1.s 2", ""),
    ("partition", "p2", "VALUES LESS THAN MAXVALUE"),
    ("partition", "p2.s3", ""),
    ("partition", "p2.s4", "MAX_ROWS = 5"),
    ("column order", "", "id, a`b, e, g"),
    (
        "table",
        "",
        "/*!50100 TABLESPACE `ts` */ ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='a) b' "
        "/*!50100 PARTITION BY RANGE (`id`) SUBPARTITION BY HASH (`id`)",
    ),
]

MARIADB = """CREATE TABLE `t` (
  `a` date NOT NULL CHECK (`a` > '2000-01-01'),
  `b` date NOT NULL,
  `v` vector(3) NOT NULL,
  `since` timestamp(6) GENERATED ALWAYS AS ROW START,
  `until` timestamp(6) GENERATED ALWAYS AS ROW END,
  PERIOD FOR SYSTEM_TIME (`since`, `until`),
  PERIOD FOR `p` (`a`, `b`),
  VECTOR KEY `v` (`v`) `M`='8',
  SOMETHING NEW `x` (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 WITH SYSTEM VERSIONING
 PARTITION BY SYSTEM_TIME INTERVAL 1 DAY STARTS TIMESTAMP'2024-01-01 00:00:00'
(PARTITION `p0` HISTORY ENGINE = InnoDB,
 PARTITION `pn` CURRENT ENGINE = InnoDB)"""

OF_MARIADB = [
    ("column", "a", "date NOT NULL CHECK (`a` > '2000-01-01')"),
    ("column", "b", "date NOT NULL"),
    ("column", "v", "vector(3) NOT NULL"),
    ("column", "since", "timestamp(6) GENERATED ALWAYS AS ROW START"),
    ("column", "until", "timestamp(6) GENERATED ALWAYS AS ROW END"),
    ("period", "SYSTEM_TIME", "(`since`, `until`)"),
    ("period", "p", "(`a`, `b`)"),
    ("index", "v", "VECTOR KEY (`v`) `M`='8',\n  SOMETHING NEW `x` (`a`)"),
    ("partition", "p0", "HISTORY"),
    ("partition", "pn", "CURRENT"),
    ("column order", "", "a, b, v, since, until"),
    (
        "table",
        "",
        "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 WITH SYSTEM VERSIONING "
        "PARTITION BY SYSTEM_TIME INTERVAL 1 DAY STARTS TIMESTAMP'2024-01-01 00:00:00'",
    ),
]


@pytest.mark.parametrize(
    "shown, collations, parts",
    [(MYSQL, {"a`b": "latin1_bin"}, OF_MYSQL), (MARIADB, {}, OF_MARIADB)],
    ids=["mysql", "mariadb"],
)
def test_every_line_is_a_part(shown, collations, parts):
    """By kind and name; a line of a kind that nobody knows stays with the one before it."""
    assert list(take_apart(shown, collations)) == parts


def test_what_does_not_belong_to_a_definition_is_left_out():
    """The next value, the engine of each partition, a character set that the table has as well."""
    shown = "CREATE TABLE `t` (\n  `a` text{}\n) ENGINE=InnoDB{} DEFAULT CHARSET=utf8mb4"
    one = list(take_apart(shown.format("", ""), {"a": "utf8mb4_bin"}))
    other = shown.format(" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", " AUTO_INCREMENT=5")
    assert list(take_apart(other, {"a": "utf8mb4_bin"})) == one


def test_a_name_may_hold_the_end_of_a_line():
    """Its line goes on after it."""
    shown = "CREATE TABLE `t\n` (\n  `a\nb` int,\n  KEY `k\nl` (`a\nb`)\n) ENGINE=InnoDB"
    assert list(take_apart(shown, {}))[:2] == [
        ("column", "a\nb", "int"),
        ("index", "k\nl", "KEY (`a\nb`)"),
    ]
