"""The SQL with which PostgreSQL's catalogue is asked about the tables of all user schemas."""

from __future__ import annotations

from harness.engines.postgres.databases import GUARD_SCHEMA

OURS = f"""
WITH t AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
    AND n.nspname NOT IN ('information_schema', '{GUARD_SCHEMA}')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')
)
"""

TABLES = (
    OURS
    + """
SELECT oid::int8, nspname, relname, relkind = 'p',
       CASE WHEN relkind = 'p' THEN
         ARRAY(SELECT coalesce(pg_get_partition_constraintdef(p.relid), 'true')
               FROM pg_partition_tree(oid) p WHERE p.isleaf ORDER BY p.relid) END
FROM t WHERE NOT relispartition ORDER BY nspname COLLATE "C", relname COLLATE "C"
"""
)

COLUMNS = (
    OURS
    + """
SELECT t.oid::int8, a.attname, a.atttypid::int8, a.atttypmod, NOT a.attnotnull,
       a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid),
       coalesce(l.collisdeterministic, true)
FROM t JOIN pg_attribute a ON a.attrelid = t.oid
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT t.relispartition ORDER BY t.oid, a.attnum
"""
)

KEYS = (
    OURS
    + """
SELECT coalesce(pg_partition_root(t.oid), t.oid)::int8, x.indisprimary,
       x.indpred IS NOT NULL OR x.indisexclusion, x.indexprs IS NOT NULL OR x.indisexclusion,
       coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false),
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0
             AND (a.attnum = ANY (x.indkey[0:x.indnkeyatts - 1]) OR x.indexprs IS NOT NULL
                  AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = x.indexrelid
                              AND d.classid = 'pg_class'::regclass AND d.refobjid = t.oid
                              AND d.refobjsubid = a.attnum))
             ORDER BY a.attnum)
FROM t JOIN pg_index x ON x.indrelid = t.oid
WHERE (x.indisunique OR x.indisexclusion)
  AND NOT EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = x.indexrelid)
ORDER BY x.indisprimary DESC, x.indexrelid
"""
)
"""A key may be declared on a partition alone; it counts for the whole, and so does a link. Of what
is excluded nothing is known but the columns."""

EXPRESSIONS = (
    OURS
    + """
SELECT coalesce(pg_partition_root(t.oid), t.oid)::int8,
       concat_ws(' ', pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid))
FROM t JOIN pg_index x ON x.indrelid = t.oid
WHERE x.indexprs IS NOT NULL OR x.indpred IS NOT NULL ORDER BY x.indexrelid
"""
)

CONSTRAINTS = (
    OURS
    + """
SELECT coalesce(pg_partition_root(t.oid), t.oid)::int8, c.contype::text, c.condeferrable,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, at)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.at),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, at)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.at),
       pg_get_expr(c.conbin, c.conrelid), n.nspname, p.relname, p.relkind = 'p',
       m.nspname, w.relname
FROM t JOIN pg_constraint c ON c.conrelid = t.oid
LEFT JOIN pg_class p ON p.oid = c.confrelid LEFT JOIN pg_namespace n ON n.oid = p.relnamespace
LEFT JOIN pg_class w ON w.oid = coalesce(pg_partition_root(p.oid), p.oid)
LEFT JOIN pg_namespace m ON m.oid = w.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0 OR c.contype = 'c' AND NOT t.relispartition
ORDER BY c.conname COLLATE "C", t.relname COLLATE "C"
"""
)

TYPES = """
SELECT y.oid::int8, y.typname, y.typtype::text, y.typbasetype::int8, y.typtypmod, y.typnotnull,
       CASE WHEN y.typcategory = 'A' THEN y.typelem::int8 ELSE 0 END,
       coalesce(r.rngsubtype, m.rngtypid, 0)::int8,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e
             WHERE e.enumtypid = y.oid ORDER BY e.enumsortorder),
       ARRAY(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
             WHERE c.contypid = y.oid AND c.contype = 'c' ORDER BY c.conname),
       ARRAY(SELECT ARRAY[a.atttypid::int8, a.atttypmod] FROM pg_attribute a
             WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum)
FROM pg_type y LEFT JOIN pg_range r ON r.rngtypid = y.oid
LEFT JOIN pg_range m ON m.rngmultitypid = y.oid
WHERE y.typtype <> 'p' AND (y.typtype <> 'c' OR
      EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = y.typrelid AND c.relkind = 'c'))
"""
