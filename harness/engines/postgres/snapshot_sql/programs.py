"""Functions, types, and what is built of them: operators, casts, text search."""

from __future__ import annotations

from harness.engines.postgres.snapshot_sql.spaces import own, owner, routine

AGGREGATE = f"""
(SELECT concat_ws(' ', pg_get_function_result(p.oid), 'KIND', g.aggkind, g.aggnumdirectargs,
   {routine("g.aggtransfn", "SFUNC")}, 'STYPE', format_type(g.aggtranstype, NULL),
   g.aggtransspace, {routine("g.aggfinalfn", "FINALFUNC")}, g.aggfinalextra, g.aggfinalmodify,
   {routine("g.aggcombinefn", "COMBINEFUNC")}, {routine("g.aggserialfn", "SERIALFUNC")},
   {routine("g.aggdeserialfn", "DESERIALFUNC")}, 'INITCOND ' || quote_literal(g.agginitval),
   {routine("g.aggmtransfn", "MSFUNC")}, {routine("g.aggminvtransfn", "MINVFUNC")},
   'MSTYPE ' || NULLIF(g.aggmtranstype, 0)::regtype, g.aggmtransspace,
   {routine("g.aggmfinalfn", "MFINALFUNC")}, g.aggmfinalextra, g.aggmfinalmodify,
   'MINITCOND ' || quote_literal(g.aggminitval),
   'SORTOP ' || NULLIF(g.aggsortop, 0)::regoperator, 'PARALLEL', p.proparallel)
 FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
"""

ROUTINES = f"""
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate ' WHEN 'p' THEN 'procedure ' ELSE 'function ' END
    || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
  concat_ws(' ', CASE WHEN p.prokind = 'a' THEN {AGGREGATE} ELSE pg_get_functiondef(p.oid) END,
    {owner("p.proowner")})
FROM pg_proc p JOIN n ON n.oid = p.pronamespace WHERE {own("p", "pg_proc")}
"""

DOMAIN = """
concat_ws(' ', format_type(y.typbasetype, y.typtypmod),
  CASE WHEN y.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || y.typdefault,
  'COLLATE ' || NULLIF(y.typcollation, b.typcollation)::regcollation,
  (SELECT string_agg(concat('CONSTRAINT ', k.conname, ' ', pg_get_constraintdef(k.oid)), ' '
                     ORDER BY k.conname)
   FROM pg_constraint k WHERE k.contypid = y.oid AND k.contype <> 'n'))
"""

COMPOSITE = """
(SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> e.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END),
  ', ' ORDER BY a.attnum)
 FROM pg_attribute a JOIN pg_type e ON e.oid = a.atttypid
 WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
"""

RANGE = f"""
(SELECT concat_ws(' ', 'RANGE', format_type(r.rngsubtype, NULL),
   'COLLATE ' || NULLIF(r.rngcollation, 0)::regcollation,
   (SELECT 'OPCLASS ' || s.nspname || '.' || c.opcname FROM pg_opclass c
    JOIN pg_namespace s ON s.oid = c.opcnamespace
    WHERE c.oid = r.rngsubopc AND NOT c.opcdefault),
   {routine("r.rngcanonical", "CANONICAL")}, {routine("r.rngsubdiff", "SUBTYPE_DIFF")},
   'MULTIRANGE ' || NULLIF(r.rngmultitypid, 0)::regtype)
 FROM pg_range r WHERE r.rngtypid = y.oid)
"""

BASE = f"""
concat_ws(' ', CASE WHEN y.typisdefined THEN y.typtype::text ELSE 'SHELL' END, y.typlen,
  y.typbyval, y.typalign, y.typstorage, y.typcategory, y.typispreferred, y.typdelim,
  {routine("y.typinput", "INPUT")}, {routine("y.typoutput", "OUTPUT")},
  {routine("y.typreceive", "RECEIVE")}, {routine("y.typsend", "SEND")},
  {routine("y.typmodin", "TYPMOD_IN")}, {routine("y.typmodout", "TYPMOD_OUT")},
  {routine("y.typanalyze", "ANALYZE")}, {routine("y.typsubscript", "SUBSCRIPT")},
  'ELEMENT ' || NULLIF(y.typelem, 0)::regtype, 'DEFAULT ' || y.typdefault,
  'COLLATE ' || NULLIF(y.typcollation, 0)::regcollation)
"""

TYPES = f"""
SELECT CASE y.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' ELSE 'type ' END
    || n.nspname || '.' || y.typname,
  concat_ws(' ', CASE y.typtype
    WHEN 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                   FROM pg_enum e WHERE e.enumtypid = y.oid)
    WHEN 'd' THEN {DOMAIN} WHEN 'c' THEN {COMPOSITE} WHEN 'r' THEN {RANGE} ELSE {BASE} END,
    {owner("y.typowner")})
FROM pg_type y JOIN n ON n.oid = y.typnamespace
LEFT JOIN pg_class o ON o.oid = NULLIF(y.typrelid, 0)
LEFT JOIN pg_type b ON b.oid = NULLIF(y.typbasetype, 0)
WHERE (y.typrelid = 0 OR o.relkind = 'c') AND y.typtype <> 'm'
  AND (y.typelem = 0 OR NOT EXISTS (
    SELECT FROM pg_type e WHERE e.oid = y.typelem AND e.typarray = y.oid))
  AND {own("y", "pg_type")}
"""
"""Without the types that the server makes with another: of rows, arrays and multiranges."""

OPERATORS = f"""
SELECT 'operator ' || o.oid::regoperator, concat_ws(' ',
    'RETURNS ' || NULLIF(o.oprresult, 0)::regtype, {routine("o.oprcode", "FUNCTION")},
    'COMMUTATOR ' || NULLIF(o.oprcom, 0)::regoperator,
    'NEGATOR ' || NULLIF(o.oprnegate, 0)::regoperator,
    {routine("o.oprrest", "RESTRICT")}, {routine("o.oprjoin", "JOIN")},
    CASE WHEN o.oprcanmerge THEN 'MERGES' END, CASE WHEN o.oprcanhash THEN 'HASHES' END,
    {owner("o.oprowner")})
FROM pg_operator o JOIN n ON n.oid = o.oprnamespace WHERE {own("o", "pg_operator")}
"""

OPERATOR_CLASSES = f"""
SELECT concat('operator class ', n.nspname, '.', c.opcname, ' USING ', m.amname), concat_ws(' ',
    'FOR TYPE', format_type(c.opcintype, NULL), CASE WHEN c.opcdefault THEN 'DEFAULT' END,
    'FAMILY', s.nspname || '.' || f.opfname,
    'STORAGE ' || format_type(NULLIF(c.opckeytype, 0), NULL), {owner("c.opcowner")})
FROM pg_opclass c JOIN n ON n.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_namespace s ON s.oid = f.opfnamespace
WHERE {own("c", "pg_opclass")}
"""

OPERATOR_FAMILIES = f"""
SELECT concat('operator family ', s.nspname, '.', f.opfname, ' USING ', m.amname), concat_ws(' ',
    (SELECT string_agg(concat_ws(' ', 'OPERATOR', o.amopstrategy, o.amopopr::regoperator,
        'FOR ORDER BY ' || (SELECT b.opfname FROM pg_opfamily b WHERE b.oid = o.amopsortfamily)),
      ', ' ORDER BY o.amopstrategy, o.amopopr::regoperator::text)
     FROM pg_amop o WHERE o.amopfamily = f.oid AND o.oid >= 16384),
    (SELECT string_agg(concat_ws(' ', 'FUNCTION', r.amprocnum, r.amproc::oid::regprocedure, 'FOR',
        format_type(r.amproclefttype, NULL), format_type(r.amprocrighttype, NULL)),
      ', ' ORDER BY r.amprocnum, r.amproc::oid::regprocedure::text, r.amproclefttype::regtype::text,
      r.amprocrighttype::regtype::text)
     FROM pg_amproc r WHERE r.amprocfamily = f.oid AND r.oid >= 16384),
    {owner("f.opfowner")})
FROM pg_opfamily f JOIN pg_namespace s ON s.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
WHERE f.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_opfamily'::regclass)
  AND (f.oid >= 16384 OR f.oid IN (SELECT amopfamily FROM pg_amop WHERE oid >= 16384
                            UNION ALL SELECT amprocfamily FROM pg_amproc WHERE oid >= 16384))
"""
"""A family of the server's own shows if something was added to it."""

CASTS = f"""
SELECT concat('cast (', format_type(c.castsource, NULL), ' AS ', format_type(c.casttarget, NULL),
              ')'),
  concat_ws(' ', CASE c.castmethod WHEN 'i' THEN 'WITH INOUT' WHEN 'b' THEN 'WITHOUT FUNCTION' END,
    {routine("c.castfunc", "WITH FUNCTION")},
    CASE c.castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT' END)
FROM pg_cast c WHERE {own("c", "pg_cast")}
UNION ALL
SELECT concat('transform for ', format_type(r.trftype, NULL), ' language ', l.lanname),
  concat_ws(' ', {routine("r.trffromsql", "FROM SQL")}, {routine("r.trftosql", "TO SQL")})
FROM pg_transform r JOIN pg_language l ON l.oid = r.trflang WHERE {own("r", "pg_transform")}
"""

CONVERSIONS = f"""
SELECT 'conversion ' || n.nspname || '.' || c.conname, concat_ws(' ',
    CASE WHEN c.condefault THEN 'DEFAULT' END, pg_encoding_to_char(c.conforencoding), 'TO',
    pg_encoding_to_char(c.contoencoding), {routine("c.conproc", "FROM")}, {owner("c.conowner")})
FROM pg_conversion c JOIN n ON n.oid = c.connamespace WHERE {own("c", "pg_conversion")}
"""

COLLATIONS = f"""
SELECT 'collation ' || n.nspname || '.' || c.collname, concat_ws(' ', c.collprovider,
    c.collcollate, c.collctype, c.told ->> 'colllocale', c.told ->> 'colliculocale',
    'RULES ' || (c.told ->> 'collicurules'), CASE WHEN NOT c.collisdeterministic
      THEN 'NOT DETERMINISTIC' END, 'ENCODING ' || NULLIF(c.collencoding, -1),
    'VERSION ' || c.collversion, {owner("c.collowner")})
FROM (SELECT *, to_jsonb(k) AS told FROM pg_collation k WHERE k.oid >= 16384) AS c
JOIN n ON n.oid = c.collnamespace WHERE {own("c", "pg_collation")}
"""
"""Servers differ in the names of columns; the detour through JSON lets each of them answer."""

TEXT_SEARCH = f"""
SELECT 'text search configuration ' || n.nspname || '.' || c.cfgname, concat_ws(' ', 'PARSER',
    (SELECT s.nspname || '.' || p.prsname FROM pg_ts_parser p
     JOIN pg_namespace s ON s.oid = p.prsnamespace WHERE p.oid = c.cfgparser),
    (SELECT string_agg(told, ', ' ORDER BY told COLLATE "C") FROM (
       SELECT concat(k.alias, ': ', string_agg(m.mapdict::regdictionary::text, ' '
                                               ORDER BY m.mapseqno)) AS told
       FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
       WHERE m.mapcfg = c.oid GROUP BY k.alias) AS mapped),
    {owner("c.cfgowner")})
FROM pg_ts_config c JOIN n ON n.oid = c.cfgnamespace WHERE {own("c", "pg_ts_config")}
UNION ALL
SELECT 'text search dictionary ' || n.nspname || '.' || d.dictname, concat_ws(' ', 'TEMPLATE',
    (SELECT s.nspname || '.' || p.tmplname FROM pg_ts_template p
     JOIN pg_namespace s ON s.oid = p.tmplnamespace WHERE p.oid = d.dicttemplate),
    d.dictinitoption, {owner("d.dictowner")})
FROM pg_ts_dict d JOIN n ON n.oid = d.dictnamespace WHERE {own("d", "pg_ts_dict")}
UNION ALL
SELECT 'text search parser ' || n.nspname || '.' || p.prsname, concat_ws(' ',
    {routine("p.prsstart", "START")}, {routine("p.prstoken", "GETTOKEN")},
    {routine("p.prsend", "END")}, {routine("p.prsheadline", "HEADLINE")},
    {routine("p.prslextype", "LEXTYPES")})
FROM pg_ts_parser p JOIN n ON n.oid = p.prsnamespace WHERE {own("p", "pg_ts_parser")}
UNION ALL
SELECT 'text search template ' || n.nspname || '.' || p.tmplname,
  concat_ws(' ', {routine("p.tmplinit", "INIT")}, {routine("p.tmpllexize", "LEXIZE")})
FROM pg_ts_template p JOIN n ON n.oid = p.tmplnamespace WHERE {own("p", "pg_ts_template")}
"""

LANGUAGES = f"""
SELECT 'language ' || l.lanname, concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'TRUSTED' END,
    {routine("l.lanplcallfoid", "HANDLER")}, {routine("l.laninline", "INLINE")},
    {routine("l.lanvalidator", "VALIDATOR")}, {owner("l.lanowner")})
FROM pg_language l WHERE l.lanispl
UNION ALL
SELECT 'access method ' || m.amname, concat_ws(' ', m.amtype, {routine("m.amhandler", "HANDLER")})
FROM pg_am m WHERE {own("m", "pg_am")}
"""

PROGRAMS = (
    ROUTINES, TYPES, OPERATORS, OPERATOR_CLASSES, OPERATOR_FAMILIES, CASTS, CONVERSIONS,
    COLLATIONS, TEXT_SEARCH, LANGUAGES,
)  # fmt: skip
