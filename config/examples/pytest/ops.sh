#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What operators do by hand. Usage: ops.sh restart COMPONENT
set -eu
[ "$1" = restart ] || { echo "usage: ops.sh restart COMPONENT" >&2; exit 2; }
docker compose restart "$2"
