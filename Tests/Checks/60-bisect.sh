#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# a culprit search by hand: plan, proof, undeployable commits, flaky tests, Ctrl-C, a killed search, the lock
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3
need git

export NIGHTJAR TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/bisecting.py" || fail "the search by hand is not what it says"
