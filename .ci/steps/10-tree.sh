#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# the top level holds what it may hold, and the package names no other package
set -euo pipefail
cd "$ROOT"

bad=0
complain() {
    echo "$1"
    bad=1
}

allowed='^(Package\.swift|Sources|Tests|config|Dockerfile|docs|README\.md|LICENSE|CHANGELOG\.md|\..+)$'
while IFS= read -r name; do
    [[ $name =~ $allowed ]] || complain "$name does not belong at the top level"
done < <(git ls-files | cut -d/ -f1 | sort -u)

# Comments may speak of packages; declarations may not name one.
if sed 's://.*$::' Package.swift | grep -nE '\.package\(|dependencies: *\[ *\.package'; then
    complain "Package.swift names another package"
fi
[[ ! -e Package.resolved ]] || complain "Package.resolved exists: something was resolved"

while IFS= read -r file; do
    complain "$file is larger than 1 MB"
done < <(git ls-files -z | xargs -0 -r stat -c '%s %n' | awk '$1 > 1000000 { $1 = ""; print substr($0, 2) }')

while IFS= read -r file; do
    complain "$file should not be in git"
done < <(git ls-files | grep -E '(^|/)(\.build|__pycache__|\.venv|\.DS_Store)(/|$)|\.pyc$' || true)

while IFS= read -r file; do
    complain "$file is executable and has no #! line"
done < <(git ls-files -s | awk '$1 == "100755" { print $4 }' | while IFS= read -r file; do
    [[ $(head -c 2 "$file") == '#!' ]] || echo "$file"
done)

if ((bad)); then exit 1; fi
echo "$(git ls-files | wc -l) files"
