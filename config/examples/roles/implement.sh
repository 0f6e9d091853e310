#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Role `implement` without any network: takes the proven culprit back with git. Tests stay as they are: they say whether
# the code is right again.
set -eu

answer() { # DECISION SUMMARY
    printf '{"schema": "nightjar.role-answer/1", "decision": "%s", "summary": "%s"}\n' "$1" "$2"
    exit 0
}

# What this script needs of the request is in its environment too.
cat >/dev/null
cd "$NIGHTJAR_WORKTREE"
[ -n "${NIGHTJAR_CULPRIT:-}" ] || answer giveUp "the diagnosis names no culprit"
short=$(git rev-parse --short "$NIGHTJAR_CULPRIT") || answer giveUp "the culprit is not in this repository"

mainline=
if git rev-parse --verify --quiet "$NIGHTJAR_CULPRIT^2" >/dev/null; then mainline='--mainline 1'; fi
# shellcheck disable=SC2086 # two words, or none
git revert --no-commit $mainline "$NIGHTJAR_CULPRIT" >&2 ||
    answer giveUp "later commits build on $short: git revert finds conflicts"

is_test() { # PATH
    set -f
    old=$IFS
    IFS='
'
    for pattern in ${NIGHTJAR_TEST_PATHS:-}; do
        # shellcheck disable=SC2254 # the pattern is meant as one
        case $1 in $pattern)
            IFS=$old
            set +f
            return 0
            ;;
        esac
    done
    IFS=$old
    set +f
    return 1
}

git -c core.quotePath=false diff --cached --no-renames --name-only --diff-filter=DM HEAD | while IFS= read -r path; do
    if is_test "$path"; then git checkout --quiet HEAD -- "$path" >&2; fi
done

if git diff --cached --quiet HEAD; then answer giveUp "$short changed nothing but tests"; fi
answer "done" "Take $short back"
