#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the scenarios approve the demo's service, and each of its broken variants is caught by its scenario
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need python3
python3 "$ROOT/Tests/Checks/resilience.py" --nightjar "$NIGHTJAR" \
    --scenarios "$ROOT/config/examples/resilience/demo.json" || fail "a scenario is not what it should be"
