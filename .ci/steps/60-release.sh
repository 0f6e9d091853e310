#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the one binary that is installed: release, static Swift runtime
set -euo pipefail
cd "$ROOT"
swift build -c release --static-swift-stdlib --product nightjar
binary="$(swift build -c release --static-swift-stdlib --show-bin-path)/nightjar"
# Whatever it needs beyond these would be missing from the image and from bare servers.
extra=$(ldd "$binary" | awk '{ print $1 }' | grep -vE '^(linux-vdso|libstdc\+\+|libm|libgcc_s|libc|/lib.*ld-linux)' || true)
if [[ -n $extra ]]; then
    echo "the binary needs more than glibc and libstdc++: $extra"
    exit 1
fi
printf '%s: %d MB\n' "$(basename "$binary")" $(($(stat -c %s "$binary") >> 20))
"$binary" version
