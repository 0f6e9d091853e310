#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the scenarios over wss with an authority of our own, what must be refused there, and the fault proxy in front of TLS
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3 openssl

export PYTHONDONTWRITEBYTECODE=1
timeout 560 python3 "$ROOT/Tests/Checks/wss.py" --nightjar "$NIGHTJAR" --work "$work" \
    --scenarios "$ROOT/config/examples/resilience/demo.json" || fail "a scenario over wss is not what it should be"
