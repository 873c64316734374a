#!/bin/sh
# Run once by the database's image: the role that web, worker and beat use. It owns nothing; rights come by `migrate`.
set -eu
password=$(cat /run/secrets/application_password)
psql -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
-- Even the first line of an error may quote a cell; web and worker log their own errors, by SQLSTATE.
CREATE ROLE credit_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
REVOKE CONNECT, TEMPORARY ON DATABASE credit FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE credit TO credit_app;
ALTER ROLE credit_app SET log_min_messages = 'log';
ALTER ROLE credit SET log_min_messages = 'log';
SQL
