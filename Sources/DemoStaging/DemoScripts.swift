// SPDX-License-Identifier: Apache-2.0
// The shell scripts in the demo repository: the deploy script and the log script that its operators would have.

enum DemoScripts {
    /// Where the staging machine is. `DemoLayout` has refused paths with quotes.
    static func environment(_ layout: DemoLayout) -> String {
        """
        # The staging machine.
        NIGHTJAR='\(layout.executable)'
        REPOSITORY='\(layout.repository)'
        ROOT='\(layout.staging)'
        PORT=\(layout.port)

        """
    }

    static let deploy = #"""
        #!/bin/sh
        # Deploys one revision to the staging machine: ./deploy.sh REVISION
        set -eu

        revision=${1:?usage: deploy.sh REVISION}
        . "$(dirname "$0")/ops/staging.env"

        commit=$(git -C "$REPOSITORY" rev-parse --verify --quiet "$revision^{commit}") || {
          echo "deploy: there is no revision $revision in $REPOSITORY" >&2
          exit 1
        }
        release="$ROOT/releases/$commit"
        echo "deploy: unpacking $commit"
        rm -rf "$release.new"
        mkdir -p "$release.new"
        git -C "$REPOSITORY" archive --output "$release.new/release.tar" "$commit"
        tar -x -f "$release.new/release.tar" -C "$release.new"
        rm "$release.new/release.tar"
        echo "$commit" >"$release.new/REVISION"
        rm -rf "$release"
        mv "$release.new" "$release"

        # A process id may have been given to somebody else since it was written down.
        is_ours() {
          tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q -F -e "__demo-service --root $ROOT "
        }

        if [ -s "$ROOT/service.pid" ]; then
          old=$(cat "$ROOT/service.pid")
          if is_ours "$old" 2>/dev/null; then
            echo "deploy: stopping process $old"
            kill "$old"
            tries=0
            while is_ours "$old" 2>/dev/null; do
              tries=$((tries + 1))
              [ "$tries" -ne 100 ] || kill -9 "$old" 2>/dev/null || true
              sleep 0.05
            done
          fi
        fi
        rm -f "$ROOT/service.pid" "$ROOT/port"

        echo "deploy: starting $commit"
        setsid nohup "$NIGHTJAR" __demo-service --root "$ROOT" --release "$release" --port "$PORT" \
          </dev/null >>"$ROOT/service.log" 2>&1 &

        tries=0
        while [ ! -s "$ROOT/port" ]; do
          tries=$((tries + 1))
          if [ "$tries" -gt 600 ]; then
            echo "deploy: the service did not start; its last lines:" >&2
            tail -n 5 "$ROOT/service.log" >&2
            exit 1
          fi
          sleep 0.05
        done
        echo "deploy: process $(cat "$ROOT/service.pid") serves $commit on port $(cat "$ROOT/port")"

        """#

    static let logs = #"""
        #!/bin/sh
        # Shows the log of the staging service: ops/logs.sh [--since TIME], TIME as in 2026-11-21T02:31:07.250Z
        set -eu

        . "$(dirname "$0")/staging.env"
        since=
        if [ "${1:-}" = --since ]; then
          since=${2:?usage: logs.sh --since TIME}
        fi
        [ -f "$ROOT/service.log" ] || exit 0
        # Times of the same form sort like text.
        awk -v since="$since" '$1 >= since' "$ROOT/service.log" | tail -n 500

        """#
}
