#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# a culprit that is taken back on a branch of its own; questions to people, and their answers
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3 git

export NIGHTJAR ROOT TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/remedy.py" || fail "a remedy did not do what it says"
