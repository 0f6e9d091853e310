#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# logs of services are kept, mined and compared with the last green cycle; what changes around the tests is told
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NIGHTJAR=$NIGHTJAR PYTHONDONTWRITEBYTECODE=1 python3 "$here/surroundings.py" "$work" ||
    fail "logs or surroundings are not as they should be"
