#!/bin/sh
# Writes .env beside docker-compose.yml: secrets made at random, readable by their owner alone. One that is
# there is kept, since the database knows its password.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo ".env is there already; take it away to make new secrets (and the volumes with the old ones)" >&2
    exit 2
fi
umask 077
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
fernet() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
partial=$(mktemp .env.XXXXXX)
cat > "$partial" <<SECRETS
# Made by make env. Keep it to yourself.
POSTGRES_PASSWORD=$(random 24)
AIRFLOW_FERNET_KEY=$(fernet)
AIRFLOW_JWT_SECRET=$(random 32)
AIRFLOW_API_SECRET_KEY=$(random 32)
TIDEMARK_ADMIN_PASSWORD=$(random 12)
# Where alerts go, in apprise's form; empty: nowhere. See docs/live.md.
TIDEMARK_ALERTS=
SECRETS
mv "$partial" .env
echo "Wrote .env; sign in to http://127.0.0.1:8080 as admin with the TIDEMARK_ADMIN_PASSWORD in it"
