#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the scenarios against the fault lab's gateway, and against broken variants of it
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need git python3

lab=${NIGHTJAR_LAB:-$ROOT/../shared/lab}
[[ -f $lab/lab.py ]] || skip "there is no fault lab (NIGHTJAR_LAB)"
python=${NIGHTJAR_PYTHON:-python3}
"$python" -c 'import aiohttp, pytest' 2>/dev/null || skip "$python lacks the lab's requirements (NIGHTJAR_PYTHON)"
python3 "$ROOT/Tests/Checks/resilience_lab.py" --nightjar "$NIGHTJAR" --lab "$lab" --python "$python" --work "$work" ||
    fail "a scenario is not what it should be"
