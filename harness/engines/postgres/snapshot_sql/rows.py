"""What has rows or gives values: each table as it can be read, each sequence with its takers."""

from __future__ import annotations

from harness.engines.postgres.snapshot_sql.spaces import USER_SPACES

READABLE = """
SELECT n.nspname || '.' || c.relname, n.nspname::text, c.relname::text,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated <> 'v' ORDER BY a.attname),
       ARRAY(SELECT a.attname::text FROM unnest((
               SELECT x.indkey[0:x.indnkeyatts - 1] FROM pg_index x
               WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
                 AND x.indexprs IS NULL AND NOT EXISTS (
                   SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND NOT o.attnotnull
                     AND o.attnum = ANY (x.indkey[0:x.indnkeyatts - 1]))
               ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid::regclass::text LIMIT 1
             )::int2[]) WITH ORDINALITY AS k (n, at)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.at),
       ARRAY(SELECT a.atttypid NOT IN (
               'bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype,
               'float4'::regtype, 'float8'::regtype, 'numeric'::regtype, 'text'::regtype,
               'varchar'::regtype, 'bpchar'::regtype, 'uuid'::regtype, 'bytea'::regtype)
             FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated <> 'v' ORDER BY a.attname)
"""
"""Each table with its readable columns, the columns that tell its rows apart, and for each column
whether it is shown as text, for a client may not know its type or value."""

TABLES = f"""{READABLE}
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated
UNION ALL
SELECT 'large objects', 'pg_catalog', 'pg_largeobject', ARRAY['data', 'loid', 'pageno'],
       ARRAY['loid', 'pageno'], ARRAY[false, false, false]
WHERE EXISTS (SELECT FROM pg_largeobject_metadata)
ORDER BY 1, 2
"""

PARTITIONED = f"""{READABLE}
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace WHERE c.relkind = 'p' ORDER BY 1, 2
"""

SEQUENCES = f"""
SELECT n.nspname || '.' || c.relname, n.nspname::text, c.relname::text,
       q.seqincrement, q.seqmin, q.seqmax, q.seqcycle, o.*
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace
JOIN pg_sequence q ON q.seqrelid = c.oid
LEFT JOIN LATERAL (
  SELECT m.nspname::text, u.relname::text, a.attname::text,
    y.base IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype),
    EXISTS (
      SELECT FROM pg_index x WHERE x.indrelid = u.oid AND x.indisunique AND x.indnkeyatts = 1
        AND x.indkey[0] = a.attnum AND x.indpred IS NULL)
  FROM (
    SELECT d.refobjid AS rel, d.refobjsubid AS at FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
      AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    UNION
    SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = c.oid
  ) AS taker JOIN pg_class u ON u.oid = taker.rel AND u.relkind IN ('r', 'p')
  JOIN pg_namespace m ON m.oid = u.relnamespace
  JOIN pg_attribute a ON a.attrelid = u.oid AND a.attnum = taker.at AND a.attgenerated = ''
  JOIN (
    SELECT z.oid, COALESCE(NULLIF(b.typbasetype, 0), NULLIF(z.typbasetype, 0), z.oid) AS base
    FROM pg_type z LEFT JOIN pg_type b ON b.oid = z.typbasetype
  ) AS y ON y.oid = a.atttypid
  WHERE y.base IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype,
                   'float4'::regtype, 'float8'::regtype)
    AND NOT (u.relispartition AND EXISTS (
      SELECT FROM pg_inherits i JOIN pg_attrdef f ON f.adrelid = i.inhparent
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
      WHERE i.inhrelid = u.oid))
) AS o ON true ORDER BY 1, 8, 9, 10
"""
"""Each sequence, once for each column that takes its values: which owns it, or has it as its
default. A column that is not a number takes them in some form that cannot be told; a partition
takes those of the table it belongs to."""
