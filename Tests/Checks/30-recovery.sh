#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# a daemon that is killed at random loses nothing and does nothing twice; every row of the recovery table
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3

export NIGHTJAR TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
here=$(dirname "${BASH_SOURCE[0]}")
python3 "$here/chaos.py" --kills "${CHAOS_KILLS:-15}" || fail "the daemon was killed and something did not hold"
python3 "$here/recovery.py" || fail "a row of the recovery table does not hold"
