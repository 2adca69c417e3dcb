# Sourced by the programs beside it: a folder of their own, and in it a PostgreSQL server on a free port
# of the loopback address, with the database `nguon` and the user `khoyte`. Both go when the shell ends.
folder=$(mktemp -d)
chmod 755 "$folder"
server=
cleanup() {
    [ -z "$server" ] || kill -INT "$server" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
as_server=()
mkdir "$folder/pg"
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder/pg"
    as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd /
"${as_server[@]}" "$bin/initdb" -U khoyte -A trust -E UTF8 --locale=C -D "$folder/pg/data" >/dev/null
"${as_server[@]}" "$bin/postgres" -D "$folder/pg/data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c shared_buffers=256MB >/dev/null 2>&1 &
server=$!
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do sleep 0.1; done
"$bin/createdb" -h 127.0.0.1 -p "$port" -U khoyte nguon

# An installation that reads the sources `$@` from the server.
install() {
    mkdir -p "$folder/k/sources"
    echo 'sources_folder = "sources"' >"$folder/k/khoyte.toml"
    local source
    for source in "$@"; do
        printf '[servers.%s]\naddress = "postgresql://127.0.0.1:%s/nguon"\nuser = "khoyte"\nplain = true\n' \
            "$source" "$port" >>"$folder/k/khoyte.toml"
    done
}
