"""Checks the FOCUS file of a statement with focus-validator.

Reads BURSAR_URL, BURSAR_ADMIN_KEY and BURSAR_MONTH from the environment. Prints failed rules, and then `N passed, M failed`.
Version 2 of the validator has the rules of FOCUS 1.2 and needs Python 3.12. Version 1 has those of FOCUS 1.0, some under the
names of its preview, so this program adds these names.
"""

import csv
import importlib.metadata
import io
import os
import re
import subprocess
import sys
import sysconfig
import tempfile

import requests

# Columns of 1.0 whose rules in version 1 of the validator have the names of the preview.
PREVIEW_NAMES = {
    "ProviderName": "Provider",
    "PublisherName": "Publisher",
    "InvoiceIssuerName": "InvoiceIssuer",
    "ResourceId": "ResourceID",
    "ChargeCategory": "ChargeType",
}
# Version 1 requires these columns although no charge here is subject to a commitment.
UNUSED = ["CommitmentDiscount" + name for name in ("Category", "Id", "Name", "Status", "Type")]
# Columns of 1.2 that 1.0 lacks.
NEWER = {"BillingAccountType", "InvoiceId", "ServiceSubcategory", "SkuMeter", "SkuPriceDetails", "SubAccountType"}
# The validator checks one of two alternatives without its condition. Version 1.2 of the specification (InvoiceId, "nullability")
# demands null of a charge without an invoice (InvoiceId-C-004-C), and a value of an invoiced charge (InvoiceId-C-005-C). The rule
# InvoiceId-C-003-C joins both by "or", and must pass. A statement is no invoice, so its charges have none.
# https://focus.finops.org/focus-specification/v1-2/#invoiceid
UNCONDITIONAL = {"InvoiceId-C-005-C"}


def to_version_1(rows):
    for row in rows:
        kept = {name: value for name, value in row.items() if name not in NEWER}
        aliases = {alias: row[name] for name, alias in PREVIEW_NAMES.items()}
        yield {**kept, **aliases, **dict.fromkeys(UNUSED, "")}


path = f"/v1/admin/statements/{os.environ['BURSAR_MONTH']}/export?format=focus_csv"
answer = requests.get(
    os.environ["BURSAR_URL"] + path, headers={"x-api-key": os.environ["BURSAR_ADMIN_KEY"]}, timeout=60
)
answer.raise_for_status()
rows = list(csv.DictReader(io.StringIO(answer.text)))
is_version_1 = importlib.metadata.version("focus-validator").startswith("1.")
written = list(to_version_1(rows)) if is_version_1 else rows
with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", delete=False) as file:
    writer = csv.DictWriter(file, list(written[0]))
    writer.writeheader()
    writer.writerows(written)

arguments = ["--validate-version", "1.0"] if is_version_1 else ["--validate-version", "1.2", "--block-download"]
# The validator finds its list of currencies relative to the folder of the packages.
run = subprocess.run(
    [sys.executable, "-c", "from focus_validator.main import main; main()", "--data-file", file.name, *arguments],
    cwd=sysconfig.get_path("purelib"),
    capture_output=True,
    text=True,
    timeout=300,
)
failed = set(re.findall(r"^- ([A-Za-z]+-[A-Z]-\d+-[A-Z]):", run.stdout, re.MULTILINE)) - UNCONDITIONAL
if is_version_1:
    is_valid = run.returncode == 0 and "Validation succeeded" in run.stdout
else:
    is_valid = "--- Failures ---" in run.stdout and "Total: " in run.stdout and not failed
has_all = {row["ChargeCategory"] for row in rows} == {"Usage", "Adjustment"}
if not is_valid:
    print(run.stdout, run.stderr)
if not has_all:
    print("The file lacks usage or an adjustment.")
passed = [is_valid, has_all].count(True)
print(f"{passed} passed, {2 - passed} failed")
sys.exit(0 if passed == 2 else 1)
