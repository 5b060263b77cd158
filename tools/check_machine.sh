#!/bin/sh
# Says at once what this machine lacks for a build, instead of in the middle of it.
missing=0
need() {
    command -v "$1" >/dev/null 2>&1 && return
    echo "wafast needs $2: $3" >&2
    missing=1
}
need python3 "Python 3.11 or newer" "apt-get install python3 python3-venv"
need cargo "Rust 1.90 or newer" "https://rustup.rs"
need node "Node 20 or newer" "apt-get install nodejs npm"
need npm "npm" "apt-get install npm"
[ "$missing" = 0 ] || exit 1

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "wafast needs Python 3.11 or newer; python3 is $(python3 --version)" >&2
    exit 1
fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    sh "$(dirname "$0")/install.sh" python3-venv
fi
if [ "$(node -p 'parseInt(process.versions.node) >= 20')" != true ]; then
    echo "wafast needs Node 20 or newer; node is $(node --version)" >&2
    exit 1
fi
