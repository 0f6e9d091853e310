#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# people are told once, in order, through receivers that fail, stall and come back, and across a kill
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3 git curl

if ! command -v prometheus-alertmanager >/dev/null && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    # Without it one story says that it was not tried; the others need nothing.
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends prometheus-alertmanager \
        >"$work/apt" 2>&1 || say "Alertmanager cannot be installed: $(tail -n 1 "$work/apt")"
fi
export NIGHTJAR ROOT TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/notify.py" || fail "a message was lost, sent twice, or said the wrong thing"
