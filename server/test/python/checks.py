"""Runs the checks of one program.

`run_checks` prints one line for each check and then `N passed, M failed`. It exits with 1 when one failed.
"""

import sys
import traceback

checks = []


def check(function):
    checks.append(function)
    return function


def raises(expected, call):
    try:
        call()
    except expected as error:
        return error
    raise AssertionError(f"{expected} was expected")


def run_checks():
    failed = 0
    for function in checks:
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok      {name}")
        except Exception:  # reports every failure
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
