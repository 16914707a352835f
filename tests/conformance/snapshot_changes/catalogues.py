"""Tables of the servers' catalogues that hold no object of a database, and why.

Every other table of the server's must be written by one of the changes. A new version that brings
a table fails the test until somebody has changed what is in it, or has said here why not.
"""

from __future__ import annotations

POSTGRES = {
    "pg_authid": "a role belongs to the server",
    "pg_auth_members": "a role belongs to the server",
    "pg_parameter_acl": "a right on a setting belongs to the server",
    "pg_tablespace": "a tablespace belongs to the server; who lies in it is told",
    "pg_init_privs": "the rights that came with the server or an extension: what is compared with",
    "pg_statistic_ext_data": "what ANALYZE counted",
    "pg_subscription_rel": "how far replication is with a table",
}

ALL_OF_THEM = "the same for every database of the server"
RUNNING = "what the server does at the moment"
OF_SESSION = "what the session's own user may do"
INNODB = "how InnoDB keeps what is told elsewhere"
COUNTED = "what the server counted"
ACCOUNTS = "an account or role belongs to the server"
KEPT = "belongs to the server"
REPLICATION = "how replication is set up, which belongs to the server"
STORED_IN = "who lies in a tablespace is told by the table; the tablespace belongs to the server"

MYSQL = {
    "information_schema": {
        ALL_OF_THEM: "CHARACTER_SETS COLLATIONS COLLATION_CHARACTER_SET_APPLICABILITY ENGINES "
        "KEYWORDS PLUGINS RESOURCE_GROUPS ST_SPATIAL_REFERENCE_SYSTEMS ST_UNITS_OF_MEASURE "
        "INNODB_FT_DEFAULT_STOPWORD",
        RUNNING: "INNODB_BUFFER_PAGE INNODB_BUFFER_PAGE_LRU INNODB_BUFFER_POOL_STATS "
        "INNODB_CACHED_INDEXES INNODB_CMP INNODB_CMPMEM INNODB_CMPMEM_RESET INNODB_CMP_PER_INDEX "
        "INNODB_CMP_PER_INDEX_RESET INNODB_CMP_RESET INNODB_FT_BEING_DELETED INNODB_FT_CONFIG "
        "INNODB_FT_DELETED INNODB_FT_INDEX_CACHE INNODB_FT_INDEX_TABLE INNODB_METRICS "
        "INNODB_SESSION_TEMP_TABLESPACES INNODB_TEMP_TABLE_INFO INNODB_TRX OPTIMIZER_TRACE "
        "PROCESSLIST PROFILING",
        OF_SESSION: "ADMINISTRABLE_ROLE_AUTHORIZATIONS APPLICABLE_ROLES ENABLED_ROLES "
        "ROLE_COLUMN_GRANTS ROLE_ROUTINE_GRANTS ROLE_TABLE_GRANTS",
        INNODB: "INNODB_COLUMNS INNODB_FIELDS INNODB_FOREIGN INNODB_FOREIGN_COLS INNODB_INDEXES "
        "INNODB_TABLES INNODB_TABLESTATS INNODB_VIRTUAL",
        STORED_IN: "FILES INNODB_DATAFILES INNODB_TABLESPACES INNODB_TABLESPACES_BRIEF "
        "TABLESPACES_EXTENSIONS",
        ACCOUNTS: "USER_ATTRIBUTES USER_PRIVILEGES",
    },
    "mysql": {
        ACCOUNTS: "default_roles global_grants password_history proxies_priv role_edges user",
        ALL_OF_THEM: "help_category help_keyword help_relation help_topic time_zone "
        "time_zone_leap_second time_zone_name time_zone_transition time_zone_transition_type",
        KEPT: "component func plugin servers engine_cost server_cost general_log slow_log",
        COUNTED: "innodb_index_stats innodb_table_stats",
        REPLICATION: "gtid_executed ndb_binlog_index replication_asynchronous_connection_failover "
        "replication_asynchronous_connection_failover_managed "
        "replication_group_configuration_version replication_group_member_actions "
        "slave_master_info slave_relay_log_info slave_worker_info",
    },
}

MARIADB = {
    "information_schema": {
        ALL_OF_THEM: "ALL_PLUGINS CHARACTER_SETS COLLATIONS COLLATION_CHARACTER_SET_APPLICABILITY "
        "ENGINES INNODB_FT_DEFAULT_STOPWORD KEYWORDS OPTIMIZER_COSTS PLUGINS SPATIAL_REF_SYS "
        "SQL_FUNCTIONS SYSTEM_VARIABLES GLOBAL_VARIABLES SESSION_VARIABLES user_variables",
        RUNNING: "CLIENT_STATISTICS GLOBAL_STATUS INDEX_STATISTICS INNODB_BUFFER_PAGE "
        "INNODB_BUFFER_PAGE_LRU INNODB_BUFFER_POOL_STATS INNODB_CMP INNODB_CMPMEM "
        "INNODB_CMPMEM_RESET INNODB_CMP_PER_INDEX INNODB_CMP_PER_INDEX_RESET INNODB_CMP_RESET "
        "INNODB_FT_BEING_DELETED INNODB_FT_CONFIG INNODB_FT_DELETED INNODB_FT_INDEX_CACHE "
        "INNODB_FT_INDEX_TABLE INNODB_LOCKS INNODB_LOCK_WAITS INNODB_METRICS INNODB_TRX KEY_CACHES "
        "OPTIMIZER_TRACE PROCESSLIST PROFILING SESSION_STATUS SLAVE_STATUS TABLE_STATISTICS "
        "THREAD_POOL_GROUPS THREAD_POOL_QUEUES THREAD_POOL_STATS THREAD_POOL_WAITS USER_STATISTICS",
        OF_SESSION: "APPLICABLE_ROLES ENABLED_ROLES",
        INNODB: "INNODB_SYS_COLUMNS INNODB_SYS_FIELDS INNODB_SYS_FOREIGN INNODB_SYS_FOREIGN_COLS "
        "INNODB_SYS_INDEXES INNODB_SYS_TABLES INNODB_SYS_TABLESTATS INNODB_SYS_VIRTUAL",
        STORED_IN: "FILES INNODB_SYS_TABLESPACES INNODB_TABLESPACES_ENCRYPTION TABLESPACES",
        ACCOUNTS: "USERS USER_PRIVILEGES",
    },
    "mysql": {
        ACCOUNTS: "global_priv proxies_priv roles_mapping user",
        ALL_OF_THEM: "help_category help_keyword help_relation help_topic time_zone "
        "time_zone_leap_second time_zone_name time_zone_transition time_zone_transition_type",
        KEPT: "func plugin servers general_log slow_log transaction_registry",
        COUNTED: "column_stats index_stats innodb_index_stats innodb_table_stats table_stats",
        REPLICATION: "gtid_slave_pos",
    },
}


def _flat(listed: dict[str, dict[str, str]]) -> dict[str, str]:
    return {
        f"{space}.{table}".lower(): why
        for space, of in listed.items()
        for why, tables in of.items()
        for table in tables.split()
    }


NO_OBJECTS = {"postgres": POSTGRES, "mysql": _flat(MYSQL), "mariadb": _flat(MARIADB)}

LISTED = {
    "postgres": "SELECT relname FROM pg_class "
    "WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'",
    "mysql": "SELECT LOWER(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME)) FROM information_schema.tables "
    "WHERE TABLE_SCHEMA IN ('information_schema', 'mysql')",
}
"""The tables of the catalogue, as the server itself names them."""

WRITTEN = (
    "SELECT relname FROM pg_stat_xact_sys_tables WHERE schemaname = 'pg_catalog' "
    "AND n_tup_ins + n_tup_upd + n_tup_del > 0"
)
"""What the transaction has written so far, as PostgreSQL counts it."""

NO_COMMAND = {
    "OBJECT_AMOP": "is changed with its operator family",
    "OBJECT_AMPROC": "is changed with its operator family",
    "OBJECT_DEFACL": "has a statement of its own",
    "OBJECT_DEFAULT": "is changed with its column",
    "OBJECT_PARAMETER_ACL": POSTGRES["pg_parameter_acl"],
    "OBJECT_PUBLICATION_NAMESPACE": "is changed with its publication",
    "OBJECT_PUBLICATION_REL": "is changed with its publication",
    "OBJECT_ROLE": POSTGRES["pg_authid"],
    "OBJECT_ROUTINE": "another word for a function or procedure",
    "OBJECT_TABLESPACE": POSTGRES["pg_tablespace"],
    "OBJECT_USER_MAPPING": "has statements of its own",
}
"""Types of objects in PostgreSQL's grammar that no statement of a change names."""
