#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# all tests pass
set -euo pipefail
cd "$ROOT"
log=.build/ci-test.log
# Without a limit all tests start at once on two threads, and each wait of one lasts until all the others had a turn.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16
set +e
# The lines of tests that start or pass are kept in the log only.
swift test --skip-build 2>&1 | tee "$log" | grep -avE '^(◇|✔|↳) '
status=${PIPESTATUS[0]}
set -e
((status == 0)) || exit 1
# An exit status of zero without this line would mean that nothing ran.
grep -aqE 'Test run with [1-9][0-9]* tests? .*passed' "$log" || {
    echo "the test run did not end with 'passed': see $log"
    exit 1
}
grep -aE 'Test run with ' "$log"
