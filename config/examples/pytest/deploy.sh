#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the service of one revision, in place of the one that runs. Usage: deploy.sh REVISION
set -eu
revision=$1
# Each revision has a worktree of its own, so what runs is remembered outside of them.
run=${XDG_RUNTIME_DIR:-$HOME}/shop
mkdir -p "$run"
if [ -f "$run/pid" ]; then kill "$(cat "$run/pid")" 2>/dev/null || true; fi
REVISION=$revision nohup python3 service.py >"$run/log" 2>&1 &
echo $! >"$run/pid"
echo "deployed $revision"
