#!/bin/sh
# Gives the superuser its password and the database its name at the first start, in
# single-user mode (no temporary server), then becomes the server.
set -eu

if [ "$(id -u)" = 0 ]; then
    chown postgres:postgres /var/lib/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups sh "$0" "$@"
fi

case "${1:-postgres}" in -*) set -- postgres "$@" ;; esac

text() { printf '%s' "$1" | sed "s/'/''/g"; }
name() { printf '%s' "$1" | sed 's/"/""/g'; }

configure() {
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "POSTGRES_PASSWORD is not set: give it with -e POSTGRES_PASSWORD=..." >&2
        exit 1
    fi
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    {
        [ "$user" = postgres ] ||
            printf '%s\n' "CREATE ROLE \"$(name "$user")\" SUPERUSER LOGIN"
        printf '%s\n' "ALTER ROLE \"$(name "$user")\" PASSWORD '$(text "$POSTGRES_PASSWORD")'"
        [ "$database" = postgres ] ||
            printf '%s\n' "CREATE DATABASE \"$(name "$database")\" OWNER \"$(name "$user")\""
    } | postgres --single -D "$PGDATA" postgres >/dev/null
    touch "$PGDATA/.configured"
}

if [ "$1" = postgres ] && [ ! -e "$PGDATA/PG_VERSION" ]; then
    mkdir -p -m 0700 "$PGDATA"
    cp -r --preserve=mode,timestamps /var/lib/ready/* "$PGDATA"
fi
if [ "$1" = postgres ] && [ ! -e "$PGDATA/.configured" ]; then
    configure
fi
exec "$@"
