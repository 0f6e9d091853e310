#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# systemd takes the units without a word, their exposure stays where docs/operations.md says, their options exist
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need systemd-analyze

cp -r "$ROOT/config/systemd/." "$work/"
# systemd-analyze insists on a program that exists; unknown keys are only a warning with status 0, so its silence counts.
sed -i "s:/usr/local/bin/nightjar:$NIGHTJAR:" "$work/nightjar.service" "$work/nightjar-page.service"
check_unit() {
    local said
    said=$(systemd-analyze verify "$work/${1:-nightjar.service}" 2>&1) || true
    # Other units of this machine may have faults of their own.
    said=$(grep -F nightjar <<<"$said" || true)
    [[ -z $said ]] || fail "systemd-analyze verify: $said"
}
check_unit nightjar.service
check_unit nightjar-page.service
say "the units verify"

# check_exposure UNIT WORDS: what docs/operations.md says after WORDS is what systemd says.
check_exposure() {
    local exposure documented
    exposure=$(systemd-analyze security --offline=true "$work/$1" |
        sed -n "s/.*Overall exposure level for $1: \([0-9.]*\).*/\1/p")
    documented=$(sed -n "s/.*$2 of \([0-9.]*\).*/\1/p" "$ROOT/docs/operations.md" | head -n 1)
    [[ -n $exposure && -n $documented ]] || fail "$1: exposure level '$exposure', docs/operations.md says '$documented'"
    # Versions of systemd weigh a little differently.
    awk -v found="$exposure" -v said="$documented" 'BEGIN { exit !(found <= said + 0.3 && found >= said - 0.3) }' ||
        fail "$1: exposure level is $exposure, docs/operations.md says $documented"
    say "$1: exposure level $exposure, documented $documented"
    page_exposure=$exposure
}
check_exposure nightjar.service "exposure level"
check_exposure nightjar-page.service "page has an exposure"
# Whatever the document says: who can be asked by strangers is locked in.
awk -v found="$page_exposure" 'BEGIN { exit !(found <= 1.5) }' || fail "nightjar-page.service: $page_exposure > 1.5"

for example in "$work"/nightjar.service.d/*.example; do
    cp "$example" "${example%.example}"
    check_unit
    say "$(basename "$example") verifies"
done

# uncommented UNIT: directives that no comment above them explains.
uncommented() {
    awk '
        /^\[/ { explained = 0 }
        /^#/ { explained = 1; next }
        /^$/ { explained = 0; next }
        /^[A-Za-z]+=/ { if (!explained && !seen) print; next }
    ' "$ROOT/config/systemd/$1" |
        grep -vE '^(Description|Documentation|WantedBy|ExecStart|WorkingDirectory|Environment)=' || true
}
for unit in nightjar.service nightjar-page.service; do
    found=$(uncommented "$unit")
    [[ -z $found ]] || fail "$unit: directives without a reason: $found"
done

# A flag that the program does not know would be found at the next boot.
# check_flags UNIT COMMAND
check_flags() {
    "$NIGHTJAR" "$2" --help >"$work/help" 2>&1 || fail "nightjar $2 --help ended with $?"
    while IFS= read -r flag; do
        grep -qF -- "$flag" "$work/help" || fail "$1: ExecStart uses $flag, which nightjar $2 --help does not name"
    done < <(sed -n 's/^ExecStart=//p' "$ROOT/config/systemd/$1" | grep -oE -- '--[a-z-]+')
}
check_flags nightjar.service run
check_flags nightjar-page.service serve
say "every flag of ExecStart exists"
