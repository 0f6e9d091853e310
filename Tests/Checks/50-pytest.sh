#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# small pytest projects with one sin each get the right verdict, exit status and words
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# NIGHTJAR_PYTHON names an interpreter that has pytest.
python=${NIGHTJAR_PYTHON:-python3}
need "$python"
"$python" -c 'import pytest' 2>/dev/null || skip "$python has no pytest (NIGHTJAR_PYTHON)"
"$python" "$ROOT/Tests/Checks/pytest_cases.py" --nightjar "$NIGHTJAR" --work "$work/cases" ||
    fail "pytest cases are not told as they are"
