#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# systemd takes the unit without a word, its exposure stays where docs/operations.md says, its options exist
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need systemd-analyze

cp -r "$ROOT/config/systemd/." "$work/"
# systemd-analyze insists on a program that exists; unknown keys are only a warning with status 0, so its silence counts.
sed -i "s:/usr/local/bin/nightjar:$NIGHTJAR:" "$work/nightjar.service"
check_unit() {
    local said
    said=$(systemd-analyze verify "$work/nightjar.service" 2>&1) || true
    # Other units of this machine may have faults of their own.
    said=$(grep -F nightjar <<<"$said" || true)
    [[ -z $said ]] || fail "systemd-analyze verify: $said"
}
check_unit
say "the unit verifies"

exposure=$(systemd-analyze security --offline=true "$work/nightjar.service" |
    sed -n 's/.*Overall exposure level for nightjar.service: \([0-9.]*\).*/\1/p')
documented=$(sed -n 's/.*exposure level of \([0-9.]*\).*/\1/p' "$ROOT/docs/operations.md" | head -n 1)
[[ -n $exposure && -n $documented ]] || fail "exposure level '$exposure', docs/operations.md says '$documented'"
# Versions of systemd weigh a little differently.
awk -v found="$exposure" -v said="$documented" 'BEGIN { exit !(found <= said + 0.3 && found >= said - 0.3) }' ||
    fail "exposure level is $exposure, docs/operations.md says $documented"
say "exposure level $exposure, documented $documented"

for example in "$work"/nightjar.service.d/*.example; do
    cp "$example" "${example%.example}"
    check_unit
    say "$(basename "$example") verifies"
done

uncommented=$(awk '
    /^\[/ { explained = 0 }
    /^#/ { explained = 1; next }
    /^$/ { explained = 0; next }
    /^[A-Za-z]+=/ { if (!explained && !seen) print; next }
' "$ROOT/config/systemd/nightjar.service" | grep -vE '^(Description|Documentation|WantedBy|ExecStart|WorkingDirectory|Environment)=' || true)
[[ -z $uncommented ]] || fail "directives without a reason: $uncommented"

# A flag that the program does not know would be found at the next boot.
"$NIGHTJAR" run --help >"$work/help" 2>&1 || fail "nightjar run --help ended with $?"
while IFS= read -r flag; do
    grep -qF -- "$flag" "$work/help" || fail "ExecStart uses $flag, which nightjar run --help does not name"
done < <(sed -n 's/^ExecStart=//p' "$ROOT/config/systemd/nightjar.service" | grep -oE -- '--[a-z-]+')
say "every flag of ExecStart exists"
