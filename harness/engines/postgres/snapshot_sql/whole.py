"""What belongs to the database as a whole: settings, schemas, extensions, replication, servers."""

from __future__ import annotations

from harness.engines.postgres.databases import GUARD_SCHEMA
from harness.engines.postgres.snapshot_sql.spaces import options, own, owner, routine

DATABASE = f"""
SELECT 'database itself', concat_ws(' ', 'ENCODING', pg_encoding_to_char(d.encoding), d.datcollate,
    d.datctype, d.told ->> 'datlocprovider', d.told ->> 'datlocale', d.told ->> 'daticulocale',
    'RULES ' || (d.told ->> 'daticurules'), 'VERSION ' || (d.told ->> 'datcollversion'),
    'TABLESPACE ' || s.spcname, 'CONNECTION LIMIT ' || NULLIF(d.datconnlimit, -1),
    CASE WHEN d.datistemplate THEN 'IS TEMPLATE' END,
    CASE WHEN NOT d.datallowconn THEN 'NO CONNECTIONS' END, {owner("d.datdba")})
FROM (SELECT *, to_jsonb(k) AS told FROM pg_database k WHERE datname = current_database()) AS d
JOIN pg_tablespace s ON s.oid = d.dattablespace
UNION ALL
SELECT 'comment on database', o.description FROM pg_shdescription o
JOIN pg_database d ON d.oid = o.objoid AND o.classoid = 'pg_database'::regclass
WHERE d.datname = current_database()
UNION ALL
SELECT 'setting ' || split_part(one, '=', 1)
    || COALESCE(' of ' || pg_get_userbyid(NULLIF(r.setrole, 0)), ''), one
FROM pg_db_role_setting r JOIN pg_database d ON d.oid = r.setdatabase,
LATERAL unnest(r.setconfig) AS one WHERE d.datname = current_database()
"""

SCHEMAS = f"""
SELECT 'schema ' || nspname, {owner("nspowner")} FROM n
"""

EXTENSIONS = f"""
SELECT 'extension ' || e.extname, concat_ws(' ', e.extversion, 'SCHEMA', s.nspname,
    (SELECT concat(count(*), ' MEMBERS') FROM member
     WHERE member.refobjid = e.oid AND member.deptype = 'e'),
    {owner("e.extowner")},
    'COMMENT ' || quote_literal(obj_description(e.oid, 'pg_extension')))
FROM pg_extension e JOIN pg_namespace s ON s.oid = e.extnamespace
UNION ALL
SELECT concat('dependence of ', i.type, ' ', i.identity, ' on extension ', e.extname), ''
FROM bond b JOIN pg_extension e ON e.oid = b.refobjid,
LATERAL pg_identify_object(b.classid, b.objid, b.objsubid) AS i WHERE b.deptype = 'x'
UNION ALL
SELECT 'event trigger ' || evtname, concat_ws(' ', evtevent, evtenabled,
    {routine("evtfoid", "FUNCTION")}, {options("evttags", "TAGS")}, {owner("evtowner")})
FROM pg_event_trigger v JOIN pg_proc p ON p.oid = v.evtfoid
WHERE p.pronamespace IS DISTINCT FROM to_regnamespace('{GUARD_SCHEMA}')
  AND {own("v", "pg_event_trigger")}
"""
"""The members of an extension are its own business, but for how many there are."""

PUBLICATIONS = f"""
SELECT 'publication ' || p.pubname, concat_ws(' ', CASE WHEN p.puballtables THEN 'ALL TABLES' END,
    CASE WHEN p.pubinsert THEN 'INSERT' END, CASE WHEN p.pubupdate THEN 'UPDATE' END,
    CASE WHEN p.pubdelete THEN 'DELETE' END, CASE WHEN p.pubtruncate THEN 'TRUNCATE' END,
    CASE WHEN p.pubviaroot THEN 'VIA ROOT' END, 'GENERATED ' || (p.told ->> 'pubgencols'),
    (SELECT string_agg(told, ', ' ORDER BY told COLLATE "C") FROM (
       SELECT concat_ws(' ', 'TABLE', prrelid::regclass, (
         SELECT concat('(', string_agg(a.attname, ', ' ORDER BY a.attname), ')')
         FROM unnest((SELECT prattrs FROM pg_publication_rel o WHERE o.oid = r.oid)) AS k
         JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k HAVING count(*) > 0),
         'WHERE ' || pg_get_expr((SELECT prqual FROM pg_publication_rel o WHERE o.oid = r.oid),
                                 prrelid)) AS told
       FROM pg_publication_rel r WHERE r.prpubid = p.oid) AS shown),
    (SELECT 'SCHEMAS ' || string_agg(s.nspname, ', ' ORDER BY s.nspname) FROM pg_depend d
     JOIN pg_depend k ON k.classid = d.classid AND k.objid = d.objid
     JOIN pg_namespace s ON s.oid = k.refobjid AND k.refclassid = 'pg_namespace'::regclass
     WHERE d.classid = to_regclass('pg_publication_namespace')
       AND d.refclassid = 'pg_publication'::regclass AND d.refobjid = p.oid),
    {owner("p.pubowner")})
FROM (SELECT NULL::pg_node_tree AS prqual, NULL::int2vector AS prattrs) AS older,
  (SELECT *, to_jsonb(k) AS told FROM pg_publication k) AS p WHERE {own("p", "pg_publication")}
"""
"""Older servers have neither conditions, nor lists of columns, nor schemas: a name that the
innermost table does not have is looked for further out, and found in ``older``."""

SUBSCRIPTIONS = f"""
SELECT 'subscription ' || b.subname, concat_ws(' ', 'PUBLICATIONS',
    array_to_string(ARRAY(SELECT unnest(b.subpublications) ORDER BY 1), ', '),
    'SLOT ' || b.subslotname, 'COMMIT ' || b.subsynccommit,
    'CONNECTION ' || regexp_replace(regexp_replace(b.subconninfo,
      '(passw\\w*|passfile|sslkey)\\s*=\\s*(''[^'']*''|\\S+)', '', 'gi'), ':[^:@/]*@', '@', 'g'),
    (to_jsonb(b) - ARRAY['oid', 'subdbid', 'subname', 'subowner', 'subconninfo', 'subslotname',
                         'subsynccommit', 'subpublications', 'subenabled', 'subskiplsn'])::text,
    {owner("b.subowner")})
FROM pg_subscription b JOIN pg_database d ON d.oid = b.subdbid
WHERE d.datname = current_database()
"""
"""Not whether it is enabled: a copy of the database has it disabled, so that it does not take its
original's place at the publisher. And no password."""

FOREIGN = f"""
SELECT 'foreign data wrapper ' || w.fdwname, concat_ws(' ', {routine("w.fdwhandler", "HANDLER")},
    {routine("w.fdwvalidator", "VALIDATOR")}, {options("w.fdwoptions", "OPTIONS")},
    {owner("w.fdwowner")})
FROM pg_foreign_data_wrapper w WHERE {own("w", "pg_foreign_data_wrapper")}
UNION ALL
SELECT 'server ' || s.srvname, concat_ws(' ', 'WRAPPER', w.fdwname, 'TYPE ' || s.srvtype,
    'VERSION ' || s.srvversion, {options("s.srvoptions", "OPTIONS")}, {owner("s.srvowner")})
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE {own("s", "pg_foreign_server")}
UNION ALL
SELECT concat('user mapping for ', CASE u.umuser WHEN 0 THEN 'public'
                                   ELSE pg_get_userbyid(u.umuser) END, ' server ', s.srvname),
  (SELECT string_agg(CASE WHEN one ~* '^\\w*(pass|secret|token|key)' THEN split_part(one, '=', 1)
                          ELSE one END, ', ' ORDER BY one COLLATE "C")
   FROM unnest(u.umoptions) AS one)
FROM pg_user_mapping u JOIN pg_foreign_server s ON s.oid = u.umserver
"""
"""Of a secret only that there is one."""

WHOLE = (DATABASE, SCHEMAS, EXTENSIONS, PUBLICATIONS, SUBSCRIPTIONS, FOREIGN)
