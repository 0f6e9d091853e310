#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the Dockerfile really builds, and the image runs: as its user, with a PID 1 that reaps and forwards
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need buildah debootstrap
(($(id -u) == 0)) || skip "buildah and debootstrap need root"

store=(--root "$work/store" --runroot "$work/run" --storage-driver vfs)
image=localhost/nightjar-check
mirror=${NIGHTJAR_DEBIAN_MIRROR:-http://deb.debian.org/debian}

# buildah keeps its mounts under the store; they must be gone before the folder is removed.
clean_store() {
    buildah "${store[@]}" rm --all
    buildah "${store[@]}" rmi --all --force
} >/dev/null 2>&1
at_end clean_store

started=$SECONDS
debootstrap --variant=minbase bookworm "$work/base" "$mirror" >"$work/debootstrap.log" 2>&1 || {
    tail -n 3 "$work/debootstrap.log"
    skip "no Debian base: debootstrap could not reach $mirror"
}
tar -C "$work/base" -cf "$work/base.tar" .
rm -rf "$work/base"
say "a Debian base was made in $((SECONDS - started)) s"

# One base under both names that the Dockerfile builds from: the binary is taken as built, so no toolchain is needed.
container=$(buildah "${store[@]}" from scratch)
buildah "${store[@]}" add "$container" "$work/base.tar" / >/dev/null
rm "$work/base.tar"
buildah "${store[@]}" commit --quiet "$container" docker.io/library/debian:bookworm-slim >/dev/null
buildah "${store[@]}" rm "$container" >/dev/null
toolchain=$(sed -n 's/^FROM \(swift:[^ ]*\) AS build$/\1/p' "$ROOT/Dockerfile")
[[ -n $toolchain ]] || fail "the Dockerfile has no line FROM swift:… AS build"
buildah "${store[@]}" tag docker.io/library/debian:bookworm-slim "docker.io/library/$toolchain"

# What docker would send: .dockerignore must let pass what the build needs, and nothing private.
mkdir -p "$work/context/nightjar-prebuilt"
cp "$NIGHTJAR" "$work/context/nightjar-prebuilt/nightjar"
cp -r "$ROOT"/{LICENSE,Package.swift,Sources,Tests,.dockerignore} "$work/context/"
echo private >"$work/context/.env"
cp "$ROOT/Dockerfile" "$work/Dockerfile"

started=$SECONDS
buildah "${store[@]}" bud --isolation chroot --pull-never --file "$work/Dockerfile" --tag "$image" \
    --build-arg PREBUILT=nightjar-prebuilt/nightjar "$work/context" >"$work/build.log" 2>&1 || {
    tail -n 30 "$work/build.log"
    fail "the image does not build"
}
say "the image was built in $((SECONDS - started)) s"

container=$(buildah "${store[@]}" from --pull-never "$image")
inside() { buildah "${store[@]}" run --isolation chroot "$container" -- "$@"; }

user=$(inside id -u)
[[ $user == 10001 ]] || fail "the image runs as user $user, expected 10001"
inside sh -c 'touch /var/lib/nightjar/x && rm /var/lib/nightjar/x' || fail "the user cannot write /var/lib/nightjar"
if inside sh -c 'touch /usr/local/bin/nightjar' 2>/dev/null; then fail "the user can change the binary"; fi
for program in git curl openssl ssh; do
    inside sh -c "command -v $program" >/dev/null || fail "$program is missing in the image"
done
inside test ! -e /source || fail "the source is part of the image"
say "user, volume and tools are as they should be"

mapfile -t entry < <(sed -n 's/^ENTRYPOINT \[\(.*\)\]$/\1/p' "$ROOT/Dockerfile" | tr -d '"' | tr ',' '\n' | sed 's/^ *//')
inside "${entry[@]}" version >"$work/version" || fail "ENTRYPOINT with 'version' ended with $?"
[[ -s $work/version ]] || fail "'version' printed nothing"
say "in the image: $(head -n 1 "$work/version")"

status=0
inside "${entry[@]}" check --config /nowhere.json5 >/dev/null 2>&1 || status=$?
((status == 6)) || fail "through __init, check of a missing file ended with $status, expected 6"

health=$(sed -n 's/^ *CMD \["\/usr\/local\/bin\/nightjar", "status", \(.*\)\]$/\1/p' "$ROOT/Dockerfile")
[[ $health == *--check* ]] || fail "the HEALTHCHECK line is not the one that was expected"
status=0
inside /usr/local/bin/nightjar status --check --state /var/lib/nightjar >"$work/out" 2>&1 || status=$?
((status == 1)) || fail "status --check without a daemon ended with $status, expected 1: $(head -n 3 "$work/out")"
say "exit codes pass through PID 1, and the health check sees that no daemon runs"
