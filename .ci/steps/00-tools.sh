#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the programs that the checks use are there; what is missing is installed
set -euo pipefail

command -v swift >/dev/null || {
    echo "swift is not in PATH: install the toolchain named in .swift-version first"
    exit 1
}
swift --version 2>&1 | head -n 1

# program:package pairs; the first half is looked for, the second is what apt calls it.
needed=(git:git curl:curl python3:python3 tmux:tmux shellcheck:shellcheck buildah:buildah debootstrap:debootstrap
    systemd-analyze:systemd openssl:openssl)
missing=()
for pair in "${needed[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)

if ((${#missing[@]} > 0)); then
    echo "installing: ${missing[*]}"
    as_root=()
    if (($(id -u) != 0)); then
        command -v sudo >/dev/null || {
            echo "missing ${missing[*]}: not root and no sudo; install them and start again"
            exit 1
        }
        as_root=(sudo -n --preserve-env=DEBIAN_FRONTEND)
    fi
    command -v apt-get >/dev/null || {
        echo "missing ${missing[*]}: no apt-get on this machine; install them by hand and start again"
        exit 1
    }
    {
        "${as_root[@]}" apt-get update -q -o Acquire::Retries=3 &&
            "${as_root[@]}" apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 "${missing[@]}"
    } >"${TMPDIR:-/tmp}/nightjar-ci-apt.log" 2>&1 || {
        tail -n 20 "${TMPDIR:-/tmp}/nightjar-ci-apt.log"
        echo "apt-get could not install ${missing[*]}: the lines above say why (no network, or no such package?)"
        exit 1
    }
fi

# pytest in an environment of its own: the machine's Python stays as it is.
if ! "$NIGHTJAR_VENV/bin/python" -c 'import pytest' 2>/dev/null; then
    rm -rf "$NIGHTJAR_VENV"
    mkdir -p "$(dirname "$NIGHTJAR_VENV")"
    python3 -m venv "$NIGHTJAR_VENV"
    "$NIGHTJAR_VENV/bin/pip" install --quiet --disable-pip-version-check 'pytest>=8,<9' || {
        echo "pip could not install pytest into $NIGHTJAR_VENV: the lines above say why (no package index?)"
        exit 1
    }
fi
"$NIGHTJAR_VENV/bin/python" -m pytest --version
