#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# no shell script leaves the linter for shells anything to say
set -euo pipefail
cd "$ROOT"
scripts=()
while IFS= read -r file; do
    # Fixtures are kept as foreign tools wrote them.
    if [[ $file == */Fixtures/* || ! -f $file ]]; then continue; fi
    if head -n 1 "$file" | grep -aqE '^#!.*\b(ba|da)?sh\b'; then scripts+=("$file"); fi
done < <(git ls-files)
shellcheck --external-sources "${scripts[@]}"
echo "${#scripts[@]} scripts"
