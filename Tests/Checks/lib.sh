# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the checks in this folder share. Each check is `bash NN-name.sh` with
#   NIGHTJAR  the release binary
#   ROOT      the package's root
# and ends with 0 (passed), 77 (skipped; the last line says why) or anything else (failed). Sourcing this file gives it
# `$work`, a folder of its own that is removed at the end, whatever happens.
set -euo pipefail

: "${NIGHTJAR:?set NIGHTJAR to the binary to check}"
: "${ROOT:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"

work=$(mktemp -d "${TMPDIR:-/tmp}/nightjar-check.XXXXXX")
cleanups=()

# at_end COMMAND…: run at the end, last first, whatever happens.
at_end() {
    cleanups=("$(printf '%q ' "$@")" "${cleanups[@]}")
}

_finish() {
    local status=$? command
    set +e
    for command in "${cleanups[@]}"; do eval "$command"; done
    rm -rf "$work"
    exit "$status"
}
trap _finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '   %s\n' "$*"; }

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

# skip REASON: the check cannot be made here.
skip() {
    printf '%s\n' "$*"
    exit 77
}

need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

# expect_status WANTED COMMAND…: output goes to $work/out.
expect_status() {
    local wanted=$1 status=0
    shift
    "$@" >"$work/out" 2>&1 || status=$?
    ((status == wanted)) || {
        tail -n 30 "$work/out"
        fail "$* ended with $status, expected $wanted"
    }
}

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}
