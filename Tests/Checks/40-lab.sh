#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# let loose on the staging fault lab: the faultless instance is healthy, nothing is a false green, nobody wrongly blamed
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need git

lab=${NIGHTJAR_LAB:-$ROOT/../shared/lab}
[[ -f $lab/lab.py ]] || skip "there is no fault lab (NIGHTJAR_LAB)"
# NIGHTJAR_PYTHON names an interpreter with the lab's requirements.
python=${NIGHTJAR_PYTHON:-python3}
need "$python"
"$python" -c 'import aiohttp, pytest' 2>/dev/null || skip "$python lacks the lab's requirements (NIGHTJAR_PYTHON)"
# All faults take a quarter of an hour: Tests/Checks/lab.py all
lab() {
    "$python" "$ROOT/Tests/Checks/lab.py" --lab "$lab" --nightjar "$NIGHTJAR" --work "$work/instances" "$@" ||
        fail "the loop said something dangerous about the lab"
}
# Its suite of times wants the machine for itself.
lab base
lab --jobs 2 auth-killed-after-deploy conftest-skips-everything migration-names-a-missing-column
