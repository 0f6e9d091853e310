#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# five hand-written field reports, run for real: the figures that follow, and the claims that cannot be made
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3 git

export NIGHTJAR TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/golden.py" || fail "a golden case came out otherwise"
