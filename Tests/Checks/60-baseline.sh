#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# a suite that lost its tests is doubted and never healthy, until somebody accepts it; the history outlives its folders
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat >"$work/suite.sh" <<'SUITE'
#!/bin/sh
# Writes JUnit for as many tests as the file `count` says; the test in the file `broken` fails every time it is there.
count=$(cat count)
{
    echo '<testsuites><testsuite name="s">'
    n=1
    while [ $n -le "$count" ]; do
        if [ -f broken ] && [ "$(cat broken)" = $n ]; then
            echo "<testcase classname='chat' name='t$n' time='0.1'><failure message='expected 200'/></testcase>"
        else
            echo "<testcase classname='chat' name='t$n' time='0.0$((n % 9 + 1))'/>"
        fi
        n=$((n + 1))
    done
    echo '</testsuite></testsuites>'
} >"$1"
test ! -f broken
SUITE
chmod +x "$work/suite.sh"
cat >"$work/nightjar.json5" <<'CONFIG'
{
  loop: { name: "staging", mode: "observe" },
  state: "state",
  triage: { experiments: ["rerun"] },
  repository: { path: ".", revisionCommand: ["cat", "revision"] },
  health: { stableFor: "0s", checks: [{ command: ["true"] }], liveRevision: { command: ["cat", "revision"], answers: 1 } },
  suites: [{ name: "chat", priority: "P0", real: true, command: ["./suite.sh", "{report}"], report: { format: "junit" } }],
}
CONFIG
cd "$work"
echo one >revision
echo 40 >count

# once WANTED: one cycle with this exit code.
once() {
    local code=0
    "$NIGHTJAR" once >"$work/once.log" 2>&1 || code=$?
    if [ "$code" -ne "$1" ]; then
        cat "$work/once.log"
        fail "a cycle ended with $code, not $1"
    fi
}

for _ in 1 2 3 4 5; do once 0; done
"$NIGHTJAR" show --json | grep -q '"baseline" : "4/5"' || fail "the fifth run does not say that it learns"

say "forty tests become twenty"
echo 20 >count
once 3
"$NIGHTJAR" show | grep -q '20 tests, usually 40: 20 fewer > 4' || fail "the doubt is not named"
once 3

say "accepted, it learns anew"
if "$NIGHTJAR" accept-baseline chat 2>/dev/null; then fail "accepted without a reason"; fi
if "$NIGHTJAR" accept-baseline chta --reason x 2>/dev/null; then fail "accepted a suite that is not there"; fi
"$NIGHTJAR" accept-baseline chat --reason "suite was split" --by ann | grep -q 'accepted by ann' || fail "not accepted"
grep -q 'baseline accepted by ann after #7: suite was split' state/staging/cycle.log || fail "not in cycle.log"
once 0
"$NIGHTJAR" show --json | grep -q 'suite was split' || fail "the evidence does not name who accepted it"
"$NIGHTJAR" verify >/dev/null || fail "the evidence does not verify"

say "a flake is told from a failure, and outlives the folder it was seen in"
echo 7 >broken
code=0
"$NIGHTJAR" once >"$work/once.log" 2>&1 || code=$?
[ "$code" -eq 1 ] || fail "a failing cycle ended with $code"
rm broken
once 0
"$NIGHTJAR" flakes | grep -q 'chat::t7' || fail "the flake is not listed"
rm -r state/staging/cycles/000009
"$NIGHTJAR" flakes t7 | grep -q 'F' || fail "the history went with the folder"
"$NIGHTJAR" flakes t7 | head -8 | sed 's/^/   /'
