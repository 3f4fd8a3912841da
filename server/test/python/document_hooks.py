"""Hooks for schemathesis that make its runs cheap.

hypothesis expands the class of visible characters one by one: 0.2 s for each parameter, three quarters of a run. For the
opposite class it expands only the 65 excluded characters.

`--max-examples` bounds the fuzzing phase only. The coverage phase sends the cases of an operation whose number is a multiple
of COVERAGE_STEP, because neighbouring cases differ least.

The garbage collector searches the objects of the document again and again. Without it a run takes a tenth less processor time.
"""

import gc
import os
from collections import Counter

import schemathesis

OPPOSITES = {
    "[ -~\\u00a0-\\uffff]": "[^\\u0000-\\u001f\\u007f-\\u009f]",
    "[!-~\\u00a0-\\uffff]": "[^\\u0000- \\u007f-\\u009f]",
}
COVERAGE_STEP = int(os.environ["COVERAGE_STEP"])

gc.disable()
coverage_counts = Counter()


def replace_classes(value):
    """Replaces the classes in each pattern of a JSON value. Returns the number of replacements."""
    count = 0
    if isinstance(value, dict):
        pattern = value.get("pattern")
        if isinstance(pattern, str):
            for text, opposite in OPPOSITES.items():
                count += pattern.count(text)
                pattern = pattern.replace(text, opposite)
            value["pattern"] = pattern
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            count += replace_classes(inner)
    return count


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    if replace_classes(raw_schema) == 0:
        raise RuntimeError("No pattern has a class of OPPOSITES")


@schemathesis.hook
def filter_case(context, case):
    if case.meta is None or case.meta.phase.name != "coverage":
        return True
    label = context.operation.label
    number = coverage_counts[label]
    coverage_counts[label] += 1
    return number % COVERAGE_STEP == 0
