#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# promtool accepts metrics, rules and their tests; a real Prometheus scrapes the page and its alerts go off
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need python3 curl

if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
    { [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; } || skip "prometheus is not installed"
    # The package starts a server of its own where there is a service manager; this check wants only the programs.
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends prometheus >"$work/apt" 2>&1 ||
        skip "prometheus cannot be installed: $(tail -n 1 "$work/apt")"
fi

cp "$ROOT"/config/prometheus/*.yml "$work/"
promtool check rules "$work/nightjar.rules.yml" >"$work/out" 2>&1 || fail "$(cat "$work/out")"
promtool test rules "$work/nightjar.rules.test.yml" >"$work/out" 2>&1 || fail "$(cat "$work/out")"
untested=$(comm -23 <(sed -n 's/.*alert: //p' "$work/nightjar.rules.yml" | sort) \
    <(grep -B1 -A4 'exp_alerts:$' "$work/nightjar.rules.test.yml" | sed -n 's/.*alertname: \([A-Za-z]*\).*/\1/p' | sort -u))
[[ -z $untested ]] || fail "no test makes these alerts go off: $untested"
say "$(grep -c 'alert:' "$work/nightjar.rules.yml") alert rules, each with a test that makes it go off"

export NIGHTJAR ROOT TMPDIR="$work" PYTHONDONTWRITEBYTECODE=1
python3 "$(dirname "${BASH_SOURCE[0]}")/metrics_check.py" "$work" || fail "the metrics say something else"
