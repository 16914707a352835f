"""The catalogue queries of PostgreSQL's snapshot: one message for a whole database."""

from __future__ import annotations

from harness.engines.postgres.databases import GUARD_SCHEMA

SETTINGS = """
SET LOCAL search_path = pg_catalog; SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 1;
SET LOCAL IntervalStyle = postgres; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL TimeZone = 'UTC';
SET LOCAL quote_all_identifiers = off; SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = content;
"""
"""On which texts depend; they end with the message, which is one transaction. A user's database
may have settings of its own, and a name is written without its schema if the path leads there."""

USER_SPACES = f"""
SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', '{GUARD_SCHEMA}')
"""

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
               ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid LIMIT 1
             )::int2[]) WITH ORDINALITY AS k (n, at)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.at)
"""
"""Each table with its readable columns, and the columns that tell its rows apart."""

TABLES = f"""{READABLE}
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated ORDER BY 1
"""

PARTITIONED = f"""{READABLE}
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace WHERE c.relkind = 'p' ORDER BY 1
"""

SEQUENCES = f"""
SELECT n.nspname || '.' || c.relname, n.nspname::text, c.relname::text, q.seqincrement,
       o.space, o.named, o.attname, o.is_unique
FROM pg_class c JOIN ({USER_SPACES}) n ON n.oid = c.relnamespace
JOIN pg_sequence q ON q.seqrelid = c.oid
LEFT JOIN LATERAL (
  SELECT m.nspname::text AS space, u.relname::text AS named, a.attname::text, EXISTS (
      SELECT FROM pg_index x WHERE x.indrelid = u.oid AND x.indisunique AND x.indnkeyatts = 1
        AND x.indkey[0] = a.attnum AND x.indpred IS NULL) AS is_unique
  FROM (
    SELECT d.refobjid AS rel, d.refobjsubid AS at FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
      AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    UNION ALL
    SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = c.oid
  ) AS taker JOIN pg_class u ON u.oid = taker.rel JOIN pg_namespace m ON m.oid = u.relnamespace
  JOIN pg_attribute a ON a.attrelid = u.oid AND a.attnum = taker.at
  WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
  LIMIT 1
) AS o ON true ORDER BY 1
"""
"""Each sequence, and the column that takes its values: which owns it, or has it as its default."""

SPACES = f"""
WITH n AS MATERIALIZED ({USER_SPACES}),
me AS MATERIALIZED (SELECT oid FROM pg_roles WHERE rolname = current_user),
member AS MATERIALIZED (
  SELECT classid, objid FROM pg_depend
  WHERE deptype = 'e' OR deptype = 'i' AND classid = 'pg_proc'::regclass),
t AS MATERIALIZED (
  SELECT c.*, n.nspname, n.nspname || '.' || c.relname AS named
  FROM pg_class c JOIN n ON n.oid = c.relnamespace
  WHERE c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass))
"""

RELATIONS = """
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'table'
                    WHEN 'S' THEN 'sequence' ELSE 'view' END || ' ' || named,
  concat_ws(' ', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
              WHEN 'f' THEN 'foreign table' WHEN 'm' THEN 'materialized view'
              WHEN 'v' THEN 'view' ELSE 'sequence' END,
    CASE relpersistence WHEN 'u' THEN 'UNLOGGED' WHEN 't' THEN 'TEMPORARY' END,
    CASE WHEN relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(oid) END,
    (SELECT 'OF ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
       || CASE WHEN bool_or(i.inhdetachpending) THEN ' DETACH PENDING' ELSE '' END
     FROM pg_inherits i WHERE i.inhrelid = t.oid),
    pg_get_expr(relpartbound, oid),
    CASE WHEN relrowsecurity THEN 'ROW LEVEL SECURITY' END,
    CASE WHEN relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
    CASE WHEN relreplident <> 'd' AND relkind IN ('r', 'p')
         THEN 'REPLICA IDENTITY ' || CASE relreplident::text
           WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX' END END,
    'WITH (' || array_to_string(reloptions, ', ') || ')',
    (SELECT 'TABLESPACE ' || s.spcname FROM pg_tablespace s WHERE s.oid = t.reltablespace),
    CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'NOT POPULATED' END,
    (SELECT 'USING ' || m.amname FROM pg_am m WHERE m.oid = t.relam AND m.amname <> 'heap'),
    (SELECT concat_ws(' ', 'AS', format_type(q.seqtypid, NULL), 'START', q.seqstart, 'INCREMENT',
       q.seqincrement, 'MIN', q.seqmin, 'MAX', q.seqmax, 'CACHE', q.seqcache,
       CASE WHEN q.seqcycle THEN 'CYCLE' END)
     FROM pg_sequence q WHERE q.seqrelid = t.oid),
    (SELECT 'OWNED BY ' || d.refobjid::regclass || '.' || a.attname FROM pg_depend d
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE t.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = t.oid
       AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
    CASE WHEN relowner <> (SELECT oid FROM me) THEN 'OWNER ' || pg_get_userbyid(relowner) END,
    CASE WHEN relkind IN ('v', 'm') THEN 'AS ' || pg_get_viewdef(oid) END)
FROM t WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
"""

COLUMNS = """
SELECT 'column ' || t.named || '.' || a.attname,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    (SELECT concat_ws(' ', CASE WHEN NOT k.convalidated THEN 'NOT VALID' END,
                           CASE WHEN k.connoinherit THEN 'NO INHERIT' END)
     FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'n'
       AND k.conkey[1] = a.attnum AND (k.connoinherit OR NOT k.convalidated)),
    CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                       WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
    CASE a.attgenerated WHEN '' THEN 'DEFAULT ' ELSE 'GENERATED AS ' END
      || pg_get_expr(d.adbin, d.adrelid)
      || CASE a.attgenerated WHEN 's' THEN ' STORED' WHEN 'v' THEN ' VIRTUAL' ELSE '' END,
    CASE WHEN a.attcollation <> y.typcollation
         THEN 'COLLATE ' || a.attcollation::regcollation::text END,
    CASE WHEN a.attstorage <> y.typstorage THEN 'STORAGE ' || a.attstorage::text END,
    CASE WHEN a.attcompression <> '' THEN 'COMPRESSION ' || a.attcompression::text END,
    CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END,
    'WITH (' || array_to_string(a.attoptions, ', ') || ')')
FROM t JOIN pg_attribute a ON a.attrelid = t.oid JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE t.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'column order ' || t.named, string_agg(a.attname, ', ' ORDER BY a.attnum)
FROM t JOIN pg_attribute a ON a.attrelid = t.oid
WHERE t.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped GROUP BY t.named
"""

PARTS = """
SELECT 'index ' || i.named, concat_ws(' ', CASE WHEN NOT x.indisvalid THEN 'INVALID' END,
    CASE WHEN NOT x.indisready THEN 'NOT READY' END, pg_get_indexdef(x.indexrelid),
    CASE WHEN x.indisclustered THEN 'CLUSTERED' END,
    CASE WHEN x.indisreplident THEN 'REPLICA IDENTITY' END,
    (SELECT 'OF ' || p.inhparent::regclass FROM pg_inherits p WHERE p.inhrelid = i.oid))
FROM pg_index x JOIN t i ON i.oid = x.indexrelid
UNION ALL
SELECT 'constraint ' || t.named || '.' || c.conname,
  concat_ws(' ', pg_get_constraintdef(c.oid), CASE WHEN EXISTS (
    SELECT FROM pg_trigger g WHERE g.tgconstraint = c.oid AND g.tgenabled <> 'O')
    AND c.contype = 'f' THEN 'DISABLED' END)
FROM t JOIN pg_constraint c ON c.conrelid = t.oid WHERE c.contype NOT IN ('n', 't')
UNION ALL
SELECT 'trigger ' || t.named || '.' || g.tgname, concat_ws(' ', CASE g.tgenabled
    WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END,
    pg_get_triggerdef(g.oid))
FROM t JOIN pg_trigger g ON g.tgrelid = t.oid JOIN pg_proc p ON p.oid = g.tgfoid
WHERE NOT g.tgisinternal AND p.pronamespace IN (
  SELECT oid FROM n UNION ALL SELECT 'pg_catalog'::regnamespace)
UNION ALL
SELECT 'rule ' || t.named || '.' || r.rulename, concat_ws(' ', CASE r.ev_enabled
    WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END,
    pg_get_ruledef(r.oid))
FROM t JOIN pg_rewrite r ON r.ev_class = t.oid WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy ' || t.named || '.' || p.polname, concat_ws(' ',
    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, 'FOR', p.polcmd::text,
    'TO ' || ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END
                   FROM unnest(p.polroles) AS r ORDER BY 1)::text,
    'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM t JOIN pg_policy p ON p.polrelid = t.oid
UNION ALL
SELECT 'statistics ' || n.nspname || '.' || x.stxname, pg_get_statisticsobjdef(x.oid)
FROM pg_statistic_ext x JOIN n ON n.oid = x.stxnamespace
"""

ROUTINES_AND_TYPES = """
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate ' WHEN 'p' THEN 'procedure ' ELSE 'function ' END
    || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
  concat_ws(' ', CASE WHEN p.prokind = 'a' THEN (
      SELECT concat_ws(' ', pg_get_function_result(p.oid), g.aggtransfn::regprocedure,
        NULLIF(g.aggfinalfn, 0)::regprocedure, NULLIF(g.aggcombinefn, 0)::regprocedure,
        format_type(g.aggtranstype, NULL), g.agginitval, g.aggkind)
      FROM pg_aggregate g WHERE g.aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END,
    CASE WHEN p.proowner <> (SELECT oid FROM me) THEN 'OWNER ' || pg_get_userbyid(p.proowner) END)
FROM pg_proc p JOIN n ON n.oid = p.pronamespace
WHERE p.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
UNION ALL
SELECT CASE y.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' ELSE 'type ' END
    || n.nspname || '.' || y.typname,
  CASE y.typtype
    WHEN 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                   FROM pg_enum e WHERE e.enumtypid = y.oid)
    WHEN 'd' THEN concat_ws(' ', format_type(y.typbasetype, y.typtypmod),
      CASE WHEN y.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || y.typdefault,
      (SELECT string_agg(concat('CONSTRAINT ', k.conname, ' ', pg_get_constraintdef(k.oid)), ' '
                         ORDER BY k.conname)
       FROM pg_constraint k WHERE k.contypid = y.oid AND k.contype <> 'n'))
    WHEN 'c' THEN (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod),
                                     ', ' ORDER BY a.attnum)
                   FROM pg_attribute a
                   WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
    WHEN 'r' THEN (SELECT concat_ws(' ', 'RANGE', r.rngsubtype::regtype, r.rngsubdiff)
                   FROM pg_range r WHERE r.rngtypid = y.oid)
    ELSE concat_ws(' ', y.typtype, y.typlen, y.typinput, y.typoutput) END
FROM pg_type y JOIN n ON n.oid = y.typnamespace
LEFT JOIN pg_class o ON o.oid = y.typrelid
WHERE (y.typrelid = 0 OR o.relkind = 'c') AND y.typtype <> 'm' AND y.typelem = 0
  AND y.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
"""

REST = f"""
SELECT 'schema ' || nspname,
  concat('OWNER ' || pg_get_userbyid(NULLIF(nspowner, (SELECT oid FROM me)))) FROM n
UNION ALL
SELECT 'extension ' || e.extname, concat_ws(' ', e.extversion, 'SCHEMA', s.nspname)
FROM pg_extension e JOIN pg_namespace s ON s.oid = e.extnamespace
UNION ALL
SELECT 'event trigger ' || evtname, concat_ws(' ', evtevent, evtenabled, evtfoid::regprocedure,
                                              evttags::text) FROM pg_event_trigger
UNION ALL
SELECT 'publication ' || p.pubname, concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate,
    p.pubdelete, p.pubtruncate, (SELECT string_agg(r.prrelid::regclass::text, ', '
      ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = p.oid))
FROM pg_publication p
UNION ALL
SELECT 'server ' || srvname, concat_ws(' ', srvtype, srvversion, srvoptions::text)
FROM pg_foreign_server
UNION ALL
SELECT 'collation ' || n.nspname || '.' || c.collname, concat_ws(' ', c.collprovider,
    c.collcollate, c.collctype, c.collisdeterministic)
FROM pg_collation c JOIN n ON n.oid = c.collnamespace
UNION ALL
SELECT 'operator ' || o.oid::regoperator, concat_ws(' ', o.oprresult::regtype, o.oprcode)
FROM pg_operator o JOIN n ON n.oid = o.oprnamespace
WHERE o.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_operator'::regclass)
UNION ALL
SELECT 'setting ' || split_part(one, '=', 1)
    || COALESCE(' of ' || pg_get_userbyid(NULLIF(r.setrole, 0)), ''), one
FROM pg_db_role_setting r JOIN pg_database d ON d.oid = r.setdatabase,
LATERAL unnest(r.setconfig) AS one WHERE d.datname = current_database()
UNION ALL
SELECT 'comment on ' || i.type || ' ' || i.identity, d.description
FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
WHERE d.objoid >= 16384 AND i.identity <> '{GUARD_SCHEMA}'
  AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM member)
  AND d.classoid <> 'pg_extension'::regclass
"""

GRANTS = """
SELECT 'grant on ' || what, ARRAY(SELECT one::text FROM unnest(acl) AS one ORDER BY 1)::text
FROM (SELECT CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view '
                          ELSE 'table ' END || named AS what, relacl AS acl FROM t
  UNION ALL SELECT 'column ' || t.named || '.' || a.attname, a.attacl
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attacl IS NOT NULL
  UNION ALL SELECT 'schema ' || nspname, nspacl FROM n
  UNION ALL SELECT 'function ' || n.nspname || '.' || p.proname || '('
      || pg_get_function_identity_arguments(p.oid) || ')', p.proacl
    FROM pg_proc p JOIN n ON n.oid = p.pronamespace
    WHERE p.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
  UNION ALL SELECT 'type ' || n.nspname || '.' || y.typname, y.typacl
    FROM pg_type y JOIN n ON n.oid = y.typnamespace
  UNION ALL SELECT concat_ws(' ', 'default', CASE d.defaclobjtype::text WHEN 'r' THEN 'tables'
        WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
        WHEN 'n' THEN 'schemas' ELSE d.defaclobjtype::text END,
      'by', pg_get_userbyid(d.defaclrole), 'in ' || NULLIF(d.defaclnamespace, 0)::regnamespace),
    d.defaclacl FROM pg_default_acl d) AS granted
WHERE acl IS NOT NULL
"""

OBJECTS = SPACES + " UNION ALL ".join((RELATIONS, COLUMNS, PARTS, ROUTINES_AND_TYPES, REST, GRANTS))
