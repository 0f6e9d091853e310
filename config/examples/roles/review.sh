#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Role `review` for implement.sh: approves the change only where it is the inverse of the proven culprit, line by line, in
# every file that is no test.
set -eu

answer() { # DECISION SUMMARY
    printf '{"schema": "nightjar.role-answer/1", "decision": "%s", "summary": "%s"}\n' "$1" "$2"
    exit 0
}

cat >/dev/null
cd "$NIGHTJAR_WORKTREE"
[ -n "${NIGHTJAR_CULPRIT:-}" ] || answer reject "the diagnosis names no culprit"

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

# The files of a comparison that are no tests, one per line.
code() { # GIT-DIFF-ARGUMENTS...
    git -c core.quotePath=false diff --no-renames --name-only "$@" | while IFS= read -r path; do
        is_test "$path" || printf '%s\n' "$path"
    done
}

# Added and removed lines of one file, without their places.
lines() { # PATH GIT-DIFF-ARGUMENTS...
    path=$1
    shift
    git diff --no-renames --no-ext-diff --no-textconv --no-color "$@" -- "$path" | sed -n '/^[-+]/p'
}

parent="$NIGHTJAR_CULPRIT^1"
changed=$(code --cached HEAD)
wanted=$(code "$NIGHTJAR_CULPRIT" "$parent")
[ "$changed" = "$wanted" ] || answer reject "the change touches other files than the culprit did"
all=$(git -c core.quotePath=false diff --cached --no-renames --name-only --diff-filter=DM HEAD)
printf '%s\n' "$all" | while IFS= read -r path; do
    [ -n "$path" ] || continue
    if is_test "$path"; then exit 1; fi
    [ "$(lines "$path" --cached HEAD)" = "$(lines "$path" "$NIGHTJAR_CULPRIT" "$parent")" ] || exit 1
done || answer reject "the change is not the inverse of the culprit"
answer approve "the inverse of the culprit, and nothing else"
