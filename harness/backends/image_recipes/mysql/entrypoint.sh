#!/bin/sh
# Becomes the server; the accounts are set by its own --init-file (no temporary server).
# The file is written anew at every start and its statements may be repeated.
set -eu

if [ "$(id -u)" = 0 ]; then
    chown mysql:mysql /var/lib/mysql
    exec setpriv --reuid=mysql --regid=mysql --init-groups sh "$0" "$@"
fi

case "${1:-mysqld}" in -*) set -- mysqld "$@" ;; esac

text() { printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g"; }
name() { printf '%s' "$1" | sed 's/`/``/g'; }

accounts() {
    password=$(text "$MYSQL_ROOT_PASSWORD")
    printf '%s\n' \
        "SET SESSION sql_log_bin = 0;" \
        "ALTER USER 'root'@'localhost' IDENTIFIED BY '$password';" \
        "CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '$password';" \
        "ALTER USER 'root'@'%' IDENTIFIED BY '$password';" \
        "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;"
    [ -z "${MYSQL_DATABASE:-}" ] ||
        printf '%s\n' "CREATE DATABASE IF NOT EXISTS \`$(name "$MYSQL_DATABASE")\`;"
}

if [ "$1" = mysqld ]; then
    if [ -z "${MYSQL_ROOT_PASSWORD:-}" ]; then
        echo "MYSQL_ROOT_PASSWORD is not set: give it with -e MYSQL_ROOT_PASSWORD=..." >&2
        exit 1
    fi
    [ -d /var/lib/mysql/mysql ] ||
        cp -r --preserve=mode,timestamps /var/lib/ready/* /var/lib/mysql
    umask 077
    accounts > /var/run/mysqld/accounts.sql
    umask 022
    set -- "$@" --init-file=/var/run/mysqld/accounts.sql
fi
exec "$@"
