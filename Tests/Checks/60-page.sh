#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the status page over real loops in every state, live, in a browser, and within the system calls its unit allows
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3

export NIGHTJAR ROOT TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/page_check.py" "$work" || fail "the page says something else"
