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
# A round takes half a minute to two; all of them: Tests/Checks/lab.py all
"$python" "$ROOT/Tests/Checks/lab.py" --lab "$lab" --nightjar "$NIGHTJAR" --work "$work/instances" \
    base conftest-skips-everything migration-names-a-missing-column pagination-skips-a-thread ||
    fail "the loop said something dangerous about the lab"
