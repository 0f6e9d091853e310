#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# all modules and tests compile; a warning, or an import that Package.swift does not allow, is an error
set -euo pipefail
cd "$ROOT"
swift build --build-tests --explicit-target-dependency-import-check error
