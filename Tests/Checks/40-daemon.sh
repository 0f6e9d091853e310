#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# signals, reloading, locks, control socket, service manager, full disks and rough children, and what commands end with
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3

export NIGHTJAR TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
for stories in daemon hardship endings; do
    python3 "$(dirname "${BASH_SOURCE[0]}")/$stories.py" || fail "the daemon forgot its manners ($stories.py)"
done
