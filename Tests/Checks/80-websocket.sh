#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# our WebSocket client and server pass the Autobahn cases and talk with websockets, aiohttp and wsproto
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need python3 timeout
# NIGHTJAR_WEBSOCKET_PYTHON names an interpreter that has the three libraries already.
python=${NIGHTJAR_WEBSOCKET_PYTHON:-}
if [[ -z $python ]]; then
    venv=${NIGHTJAR_VENV:-$work/venv}-websocket
    python=$venv/bin/python
    if ! "$python" -c 'import websockets, aiohttp, wsproto' 2>/dev/null; then
        python3 -m venv "$venv" >"$work/venv.log" 2>&1 || skip "python3 has no venv"
        timeout 180 "$venv/bin/pip" --quiet --disable-pip-version-check install websockets aiohttp wsproto \
            >>"$work/venv.log" 2>&1 || skip "websockets, aiohttp and wsproto cannot be installed: no package index"
    fi
fi
timeout 500 "$python" "$ROOT/Tests/Checks/websocket.py" --nightjar "$NIGHTJAR" ||
    fail "a case of the WebSocket protocol"

# A browser is a client that nobody here wrote.
export PYTHONDONTWRITEBYTECODE=1
if command -v chromium google-chrome chromium-browser >/dev/null; then
    timeout 300 python3 "$ROOT/Tests/Checks/websocket_browser.py" --nightjar "$NIGHTJAR" --work "$work" ||
        fail "a browser with our WebSocket server"
else
    say "no browser here: Chromium as a client is left out"
fi
