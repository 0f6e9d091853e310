#!/bin/sh
# Starts the service of one revision, in place of the one that runs.
set -eu
revision=$1
if [ -f service.pid ]; then kill "$(cat service.pid)" 2>/dev/null || true; fi
REVISION=$revision nohup python3 service.py >service.log 2>&1 &
echo $! >service.pid
echo "deployed $revision"
