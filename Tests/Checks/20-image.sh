#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the Dockerfile really builds, and a loop runs in its image: as its user, under a PID 1 that reaps and forwards
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

status=0
inside /usr/local/bin/nightjar status --check --state /var/lib/nightjar >"$work/out" 2>&1 || status=$?
((status == 1)) || fail "status --check without a daemon ended with $status, expected 1: $(head -n 3 "$work/out")"
say "exit codes pass through PID 1, and the health check sees that no daemon runs"

# The rest needs a real PID 1: the image's root file system in a PID namespace of its own, as a container engine starts it.
unshare --mount --pid --fork true 2>/dev/null || skip "namespaces cannot be made here: no loop was run in the image"
root=$(buildah "${store[@]}" mount "$container")
[[ -x $root/usr/local/bin/nightjar ]] || fail "the image's file system is not at '$root'"
host=
end_host() { if [[ -n $host ]]; then kill -KILL "$host" 2>/dev/null || true; fi; }
at_end end_host
inner=(/usr/bin/env -C /var/lib/nightjar HOME=/var/lib/nightjar SWIFT_BACKTRACE=enable=no PATH=/usr/local/bin:/usr/bin:/bin)

# Before a command: it runs as PID 1 and as the image's user; the mounts go with the namespace.
# shellcheck disable=SC2016 # expanded by the shell inside
as_first=(unshare --mount --pid --fork --kill-child sh -c '
    root=$1; shift
    mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" || exit 99
    exec chroot --userspec=10001:10001 "$root" "$@"' sh "$root" "${inner[@]}")
# beside COMMAND…: runs it beside the PID 1 that runs.
beside() { nsenter --target "$first" --mount --pid chroot --userspec=10001:10001 "$root" "${inner[@]}" "$@"; }

# What a suite leaves behind: nobody but PID 1 is left to be its parent, and it ends when it has seen that.
cat >"$root/usr/local/bin/orphan" <<'EOF'
#!/bin/sh
until grep -q '^PPid:[[:space:]]*1$' /proc/$$/status; do sleep 0.05; done
echo $$ >"/var/lib/nightjar/orphan-$1.new" && mv "/var/lib/nightjar/orphan-$1.new" "/var/lib/nightjar/orphan-$1"
EOF
chmod 755 "$root/usr/local/bin/orphan"
for loop in one two; do
    cat >"$root/etc/nightjar/$loop.json5" <<EOF
{ loop: { name: "$loop", mode: "observe" }, schedule: { every: "500ms" }, storage: { minFreeBytes: "64KiB" },
  health: { checks: [ { name: "up", command: { shell: "true" } } ],
            liveRevision: { command: ["echo", "r1"], answers: 2 }, stableFor: "100ms", interval: "50ms", deadline: "5s" },
  suites: [ { name: "suite", priority: "P0", report: { format: "tap" }, leavesServices: true,
              command: { shell: "setsid orphan $loop >/dev/null 2>&1 </dev/null & printf '1..1\\\\nok 1 - a\\\\n'" } } ] }
EOF
    chmod 644 "$root/etc/nightjar/$loop.json5"
done
state=/var/lib/nightjar

"${as_first[@]}" "${entry[@]}" once --config /etc/nightjar/one.json5 --state $state >"$work/out" 2>&1 || {
    tail -n 20 "$work/out"
    fail "one cycle in the image did not end with 0"
}
grep -q 'r1 healthy -> SHIP' "$work/out" || fail "the cycle is not healthy: $(tail -n 3 "$work/out")"
say "one cycle in mode observe: $(grep -o 'r1 healthy -> SHIP.*' "$work/out" | head -n 1)"
rm -f "$root$state"/orphan-*

mapfile -t health < <(sed -n 's/^ *CMD \[\("\/usr\/local\/bin\/nightjar", "status", .*\)\]$/\1/p' "$ROOT/Dockerfile" |
    tr ',' '\n' | sed 's/^ *"//; s/"$//')
[[ ${health[*]} == *--check* ]] || fail "the HEALTHCHECK line is not the one that was expected"

# start_first COMMAND…: in the background, as PID 1; `first` is its id out here.
start_first() {
    "${as_first[@]}" "${entry[@]}" "$@" >>"$work/daemon.log" 2>&1 &
    host=$!
    wait_for 10 is_first || fail "PID 1 is not __init: $(tail -n 5 "$work/daemon.log")"
    first=$(pgrep -P "$host")
}
is_first() {
    local id
    id=$(pgrep -P "$host") && [[ $(tr '\0' ' ' <"/proc/$id/cmdline") == "/usr/local/bin/nightjar __init "* ]]
}
# end_first: SIGTERM to PID 1, from outside, as a container engine sends it.
end_first() {
    local status=0
    kill -TERM "$first"
    wait "$host" || status=$?
    host=
    ((status == 0)) || fail "after SIGTERM to PID 1 the container ended with $status: $(tail -n 5 "$work/daemon.log")"
}

start_first run /etc/nightjar/one.json5 /etc/nightjar/two.json5 --state $state
[[ $(awk '/^NSpid:/ { print $NF }' "/proc/$first/status") == 1 ]] || fail "__init is not PID 1 of its namespace"
[[ $(awk '/^Uid:/ { print $2 }' "/proc/$first/status") == 10001 ]] || fail "PID 1 runs as another user"

orphaned() { [[ -s $root$state/orphan-one && -s $root$state/orphan-two ]]; }
wait_for 30 orphaned || fail "no child was left to PID 1: $(tail -n 5 "$work/daemon.log")"
orphans=("$(<"$root$state/orphan-one")" "$(<"$root$state/orphan-two")")
reaped() {
    local id
    for id in "${orphans[@]}"; do
        if beside test -e "/proc/$id"; then return 1; fi
    done
}
wait_for 10 reaped || fail "an orphan that has ended is still there: PID 1 does not reap"
# Children of PID 1 alone: a command that has just ended is its shepherd's to read.
zombies() { beside sh -c 'grep -l "^State:.*zombie" /proc/[0-9]*/status 2>/dev/null | xargs -r grep -l "^PPid:.1$" 2>/dev/null || true'; }
no_zombie() { [[ -z $(zombies) ]]; }
wait_for 5 no_zombie || fail "zombies: $(zombies)"
say "processes ${orphans[*]} were left to PID 1 and reaped; no zombie of its own in /proc"

wait_for 20 beside "${health[@]}" || fail "the health check says no while two loops run: $(beside "${health[@]}" 2>&1 || true)"
say "the health check while two loops run: $(beside "${health[@]}" 2>&1 | head -n 1)"

end_first
for loop in one two; do
    grep -q '"kind":"stopRequested"' "$root$state/$loop"/journal/*.jsonl ||
        fail "loop $loop was not asked to stop: SIGTERM did not reach the daemon"
done
say "SIGTERM to PID 1 reached the daemon, which ended both loops: exit 0"

# One of two loops that does not move is enough: a daemon of the other alone.
start_first run /etc/nightjar/one.json5 --state $state
wait_for 20 beside "${health[@]}" --loop one || fail "loop one alone does not move: $(tail -n 5 "$work/daemon.log")"
status=0
beside "${health[@]}" >"$work/out" 2>&1 || status=$?
((status == 1)) || fail "the health check ended with $status although loop two has no daemon: $(head -n 3 "$work/out")"
grep -q two "$work/out" || fail "the health check does not name loop two: $(head -n 3 "$work/out")"
say "with one of two loops down: exit 1, $(head -n 1 "$work/out")"
end_first
