#!/bin/sh
# Installs Debian packages that are not there yet; as another user than root by sudo.
set -eu
missing=""
for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
printf '\n==> installing%s\n' "$missing"
root=""
[ "$(id -u)" = 0 ] || root="sudo"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one word a package
$root apt-get install -y --no-install-recommends $missing || {
    $root apt-get update
    $root apt-get install -y --no-install-recommends $missing
}
