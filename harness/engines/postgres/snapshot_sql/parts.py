"""What belongs to a table: indexes, constraints, triggers, rules, policies, statistics."""

from __future__ import annotations

from harness.engines.postgres.snapshot_sql.spaces import owner

ENABLED = "CASE {} WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' END"

INDEXES = """
SELECT 'index ' || i.named, concat_ws(' ', CASE WHEN NOT x.indisvalid THEN 'INVALID' END,
    CASE WHEN NOT x.indisready THEN 'NOT READY' END, pg_get_indexdef(x.indexrelid),
    'TABLESPACE ' || s.spcname,
    CASE WHEN x.indisclustered THEN 'CLUSTERED' END,
    CASE WHEN x.indisreplident THEN 'REPLICA IDENTITY' END,
    CASE WHEN x.indexprs IS NOT NULL THEN (
      SELECT 'STATISTICS ' || string_agg(concat(a.attnum, ': ', a.attstattarget), ', '
                                         ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0) END,
    'OF ' || p.inhparent::regclass)
FROM pg_index x JOIN t i ON i.oid = x.indexrelid
LEFT JOIN pg_inherits p ON p.inhrelid = i.oid
LEFT JOIN pg_tablespace s ON s.oid = NULLIF(i.reltablespace, 0)
"""

CONSTRAINTS = """
SELECT 'constraint ' || t.named || '.' || c.conname,
  concat_ws(' ', pg_get_constraintdef(c.oid),
    CASE WHEN c.coninhcount > 0 AND c.conislocal THEN 'LOCAL TOO' END,
    'TRIGGERS ' || off.told)
FROM t JOIN pg_constraint c ON c.conrelid = t.oid
LEFT JOIN (
  SELECT tgconstraint, string_agg(DISTINCT concat(
      CASE tgenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'REPLICA' ELSE 'ALWAYS' END,
      ' ON ', tgrelid::regclass), ', ') AS told
  FROM pg_trigger WHERE tgisinternal AND tgenabled <> 'O' GROUP BY tgconstraint
) AS off ON off.tgconstraint = c.oid
WHERE c.contype NOT IN ('n', 't')
"""
"""A foreign key is kept by triggers of the server's own, which can be disabled on either table."""

TRIGGERS = f"""
SELECT 'trigger ' || t.named || '.' || g.tgname,
  concat_ws(' ', {ENABLED.format("g.tgenabled")}, pg_get_triggerdef(g.oid))
FROM t JOIN pg_trigger g ON g.tgrelid = t.oid JOIN pg_proc p ON p.oid = g.tgfoid
WHERE NOT g.tgisinternal AND p.pronamespace IN (
  SELECT oid FROM n UNION ALL SELECT 'pg_catalog'::regnamespace)
"""

RULES = f"""
SELECT 'rule ' || t.named || '.' || r.rulename,
  concat_ws(' ', {ENABLED.format("r.ev_enabled")}, pg_get_ruledef(r.oid))
FROM t JOIN pg_rewrite r ON r.ev_class = t.oid WHERE r.rulename <> '_RETURN'
"""

POLICIES = """
SELECT 'policy ' || t.named || '.' || p.polname, concat_ws(' ',
    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, 'FOR', p.polcmd::text,
    'TO ' || ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END
                   FROM unnest(p.polroles) AS r ORDER BY 1)::text,
    'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM t JOIN pg_policy p ON p.polrelid = t.oid
"""

STATISTICS = f"""
SELECT 'statistics ' || n.nspname || '.' || x.stxname, concat_ws(' ',
    pg_get_statisticsobjdef(x.oid),
    CASE WHEN x.stxstattarget >= 0 THEN 'STATISTICS ' || x.stxstattarget END,
    {owner("x.stxowner")})
FROM pg_statistic_ext x JOIN n ON n.oid = x.stxnamespace
"""

PARTS = (INDEXES, CONSTRAINTS, TRIGGERS, RULES, POLICIES, STATISTICS)
