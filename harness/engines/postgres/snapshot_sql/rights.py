"""Who may do what, and what was written about it: grants, comments, security labels."""

from __future__ import annotations

from harness.engines.postgres.databases import GUARD_SCHEMA

SORTED = "ARRAY(SELECT one::text FROM unnest({}) AS one ORDER BY 1)::text"

OF_USERS = """
SELECT CASE t.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'view '
                      ELSE 'table ' END || t.named AS what,
  t.relacl AS acl, acldefault(CASE t.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", t.relowner)
FROM t
UNION ALL
SELECT 'column ' || t.named || '.' || a.attname, a.attacl, acldefault('c', t.relowner)
FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
UNION ALL
SELECT 'schema ' || nspname, nspacl, acldefault('n', nspowner) FROM n
UNION ALL
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate ' WHEN 'p' THEN 'procedure ' ELSE 'function ' END
    || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
  p.proacl, acldefault('f', p.proowner)
FROM pg_proc p JOIN n ON n.oid = p.pronamespace
WHERE p.proacl IS NOT NULL AND p.oid NOT IN (
  SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
UNION ALL
SELECT 'type ' || n.nspname || '.' || y.typname, y.typacl, acldefault('T', y.typowner)
FROM pg_type y JOIN n ON n.oid = y.typnamespace
WHERE y.typacl IS NOT NULL AND y.oid NOT IN (
  SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
UNION ALL
SELECT 'language ' || lanname, lanacl, acldefault('l', lanowner) FROM pg_language
UNION ALL
SELECT 'foreign data wrapper ' || fdwname, fdwacl, acldefault('F', fdwowner)
FROM pg_foreign_data_wrapper
UNION ALL
SELECT 'server ' || srvname, srvacl, acldefault('S', srvowner) FROM pg_foreign_server
UNION ALL
SELECT 'database', datacl, acldefault('d', datdba)
FROM pg_database WHERE datname = current_database()
"""

OF_OTHERS = f"""
SELECT 'pg_class'::regclass AS classid, oid, 0 AS part, relacl AS acl,
  CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind, relowner AS owner FROM pg_class
WHERE relacl IS NOT NULL AND relnamespace NOT IN (
  'pg_toast'::regnamespace, 'information_schema'::regnamespace)
UNION ALL
SELECT 'pg_class'::regclass, attrelid, attnum, attacl, 'c', relowner
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attacl IS NOT NULL
UNION ALL
SELECT 'pg_proc'::regclass, oid, 0, proacl, 'f', proowner FROM pg_proc
WHERE proacl IS NOT NULL AND pronamespace IS DISTINCT FROM to_regnamespace('{GUARD_SCHEMA}')
UNION ALL
SELECT 'pg_type'::regclass, oid, 0, typacl, 'T', typowner FROM pg_type WHERE typacl IS NOT NULL
"""

GRANTS = f"""
SELECT 'grant on ' || what, told FROM (
  SELECT what, {SORTED.format("acl")} AS told, {SORTED.format("usual")} AS usual
  FROM ({OF_USERS}) AS granted (what, acl, usual) WHERE acl IS NOT NULL
) AS granted WHERE told <> usual
UNION ALL
SELECT concat('grant on ', i.type, ' ', i.identity), {SORTED.format("g.acl")}
FROM ({OF_OTHERS}) AS g LEFT JOIN pg_init_privs p
  ON p.classoid = g.classid AND p.objoid = g.oid AND p.objsubid = g.part,
LATERAL pg_identify_object(g.classid, g.oid, g.part) AS i
WHERE (g.oid < 16384 OR EXISTS (SELECT FROM member m WHERE m.classid = g.classid
                                                     AND m.objid = g.oid))
  AND p.initprivs::text IS DISTINCT FROM g.acl::text
  AND {SORTED.format("COALESCE(p.initprivs, acldefault(g.kind, g.owner))")}
    <> {SORTED.format("g.acl")}
  AND i.schema IS DISTINCT FROM 'information_schema'
UNION ALL
SELECT 'grant on ' || concat_ws(' ', 'default', CASE d.defaclobjtype::text WHEN 'r' THEN 'tables'
      WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
      WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects' ELSE d.defaclobjtype::text END,
    'by', pg_get_userbyid(d.defaclrole), 'in ' || NULLIF(d.defaclnamespace, 0)::regnamespace),
  {SORTED.format("d.defaclacl")}
FROM pg_default_acl d
"""
"""What differs from what everybody has: one who was granted and revoked a right again has left no
trace. What came with the server or an extension is compared with what it came with."""

COMMENTS = f"""
SELECT 'comment on ' || i.type || ' ' || i.identity, d.description
FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass
                           AND d.objoid IN (SELECT oid FROM n))
  AND i.identity <> '{GUARD_SCHEMA}'
  AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM member)
  AND d.classoid <> 'pg_extension'::regclass
UNION ALL
SELECT concat('label of ', d.provider, ' on ', i.type, ' ', i.identity), d.label
FROM pg_seclabel d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
UNION ALL
SELECT concat('label of ', l.provider, ' on database'), l.label FROM pg_shseclabel l
JOIN pg_database d ON d.oid = l.objoid AND l.classoid = 'pg_database'::regclass
WHERE d.datname = current_database()
"""

LARGE_OBJECTS = f"""
SELECT 'large objects', concat(count(*), ', checksum ', sum(hashtextextended(concat_ws(' ', m.oid,
  pg_get_userbyid(m.lomowner), CASE WHEN m.lomacl IS NOT NULL THEN NULLIF(
    {SORTED.format("m.lomacl")}, {SORTED.format("acldefault('L', m.lomowner)")}) END), 0)::numeric))
FROM pg_largeobject_metadata m HAVING count(*) > 0
"""
"""That they are there, whose they are and who may read them; what they hold counts as rows."""

RIGHTS = (GRANTS, COMMENTS, LARGE_OBJECTS)
