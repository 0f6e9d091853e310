#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# performance targets against a real HTTP server and a real WebSocket: measured, compared, warned of, and never made up
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3 openssl

export NIGHTJAR TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/targets.py" || fail "a target came out otherwise"
