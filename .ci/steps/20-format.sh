#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# swift format finds nothing to say
set -euo pipefail
cd "$ROOT"
swift format lint --strict -r Sources Tests Package.swift
