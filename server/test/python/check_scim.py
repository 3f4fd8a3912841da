"""Runs scim2-tester against /scim/v2 of a running server.

Reads BURSAR_URL and BURSAR_SCIM_TOKEN from the environment. Prints one line for each failed check, and then `N passed, M failed`.
The directory of the token allows addresses of example.com, so the tester's random texts become such addresses.
"""

import os
import sys
import uuid

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server, filling
from scim2_tester.checkers import patch_add, patch_replace

generate_text = filling.generate_random_value


def generate_value(context, path, **options):
    value = generate_text(context, path=path, **options)
    is_address = isinstance(value, str) and ("@" in value or str(path).endswith("userName"))
    return f"{uuid.uuid4()}@example.com" if is_address else value


# The modules have their own names for the function.
for module in (filling, patch_add, patch_replace):
    module.generate_random_value = generate_value

url = os.environ["BURSAR_URL"] + "/scim/v2"
headers = {"authorization": "Bearer " + os.environ["BURSAR_SCIM_TOKEN"]}
results = check_server(SyncSCIMClient(Client(base_url=url, headers=headers, timeout=60)))

failed = [each for each in results if each.status in (Status.ERROR, Status.CRITICAL)]
for each in failed:
    print(f"{each.status.name} {each.title}: {each.reason}")
passed = [each for each in results if each.status not in (Status.ERROR, Status.CRITICAL, Status.SKIPPED)]
print(f"{len(passed)} passed, {len(failed)} failed")
sys.exit(1 if failed else 0)
