#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the example scenario files for Socket.IO, Phoenix and graphql-ws against servers that speak these contracts
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need python3 timeout
export PYTHONDONTWRITEBYTECODE=1
# NIGHTJAR_WEBSOCKET_PYTHON names an interpreter that has the libraries already.
python=${NIGHTJAR_WEBSOCKET_PYTHON:-}
if [[ -z $python ]]; then
    venv=${NIGHTJAR_VENV:-$work/venv}-websocket
    python=$venv/bin/python
    if ! "$python" -c 'import websockets, aiohttp, socketio' 2>/dev/null; then
        python3 -m venv "$venv" >"$work/venv.log" 2>&1 || skip "python3 has no venv"
        timeout 180 "$venv/bin/pip" --quiet --disable-pip-version-check install websockets aiohttp wsproto python-socketio \
            >>"$work/venv.log" 2>&1 || skip "websockets, aiohttp and python-socketio cannot be installed: no package index"
    fi
fi
timeout 560 "$python" "$ROOT/Tests/Checks/contracts.py" --nightjar "$NIGHTJAR" --work "$work" \
    --examples "$ROOT/config/examples/resilience" || fail "a contract is not judged as it should be"
