"""Calls a running server with the official Python SDK and with plain requests.

Reads BURSAR_URL, BURSAR_ADMIN_KEY, BURSAR_API_KEY, BURSAR_WORKSPACE_ID and BURSAR_MEMBER_ID from the environment.
"""

import os

import anthropic
import requests
from checks import check, raises, run_checks

URL = os.environ["BURSAR_URL"]
ADMIN_KEY = os.environ["BURSAR_ADMIN_KEY"]
API_KEY = os.environ["BURSAR_API_KEY"]
WORKSPACE_ID = os.environ["BURSAR_WORKSPACE_ID"]
MEMBER_ID = os.environ["BURSAR_MEMBER_ID"]

MODEL = "claude-3-5-sonnet-20241022"
MESSAGES = [{"role": "user", "content": "Why is the sky blue?"}]
HEADERS = {"x-api-key": ADMIN_KEY, "anthropic-version": "2023-06-01", "content-type": "application/json"}


def client(key=API_KEY, **options):
    return anthropic.Anthropic(api_key=key, base_url=URL, **options)


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


@check
def sdk_creates_a_message():
    message = client().messages.create(model=MODEL, max_tokens=1000, messages=MESSAGES)
    assert message.type == "message" and message.model == MODEL
    assert text_of(message)
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0
    assert message._request_id.startswith("req_")


@check
def sdk_streams_a_message():
    with client().messages.stream(model=MODEL, max_tokens=1000, messages=MESSAGES) as stream:
        streamed = "".join(stream.text_stream)
        final = stream.get_final_message()
    whole = client().messages.create(model=MODEL, max_tokens=1000, messages=MESSAGES)
    assert streamed == text_of(final) == text_of(whole)
    assert final.usage.output_tokens == whole.usage.output_tokens


@check
def sdk_streams_raw_events():
    events = client().messages.create(model=MODEL, max_tokens=1000, messages=MESSAGES, stream=True)
    names = [event.type for event in events]
    assert names[0] == "message_start" and names[-1] == "message_stop"


@check
def sdk_counts_tokens_and_lists_models():
    counted = client().messages.count_tokens(model=MODEL, messages=MESSAGES)
    message = client().messages.create(model=MODEL, max_tokens=1000, messages=MESSAGES)
    assert counted.input_tokens == message.usage.input_tokens
    models = list(client().models.list())
    assert models and client().models.retrieve(models[0].id).id == models[0].id


@check
def sdk_tool_runner_runs_its_tool_and_ends():
    ran = []

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: The name of the city.
        """
        ran.append(city)
        return f"sunny in {city}"

    sent = []
    recorded = anthropic.DefaultHttpxClient(event_hooks={"response": [lambda response: sent.append(response.status_code)]})
    runner = client(http_client=recorded).beta.messages.tool_runner(
        model=MODEL, max_tokens=1000, tools=[get_weather], messages=[{"role": "user", "content": "Use get_weather."}]
    )
    final = runner.until_done()
    assert ran == ["sample city"], ran
    assert final.stop_reason == "end_turn" and "sunny in sample city" in text_of(final)
    assert sent == [200, 200], sent


@check
def sdk_raises_its_own_errors():
    wrong = client("sk-ant-api03-wrong", max_retries=0)
    raises(anthropic.AuthenticationError, lambda: wrong.messages.create(model=MODEL, max_tokens=1, messages=MESSAGES))
    error = raises(
        anthropic.BadRequestError, lambda: client().messages.create(model="", max_tokens=1, messages=MESSAGES)
    )
    assert "model" in str(error)


@check
def requests_creates_an_api_key_that_works():
    response = requests.post(
        f"{URL}/v1/admin/api_keys",
        headers=HEADERS,
        json={"name": "Automated Key", "workspace_id": WORKSPACE_ID, "permissions": ["write"]},
        timeout=30,
    )
    assert response.status_code == 200, response.text
    made = response.json()
    assert made["name"] == "Automated Key" and made["permissions"] == ["write"]
    assert made["key"].startswith("sk-ant-api03-")
    message = client(made["key"]).messages.create(model=MODEL, max_tokens=1000, messages=MESSAGES)
    assert text_of(message)


@check
def requests_sets_a_monthly_limit():
    response = requests.post(
        f"{URL}/v1/admin/workspaces/limits",
        headers=HEADERS,
        json={"workspace_id": WORKSPACE_ID, "monthly_limit_usd": 100.00},
        timeout=30,
    )
    assert response.status_code == 200, response.text
    assert response.json()["monthly_limit_usd"] == 100


@check
def requests_sets_a_monthly_limit_written_with_decimals():
    body = '{"workspace_id":"%s","monthly_limit_usd":100.00}' % WORKSPACE_ID
    response = requests.post(f"{URL}/v1/admin/workspaces/limits", headers=HEADERS, data=body, timeout=30)
    assert response.status_code == 200, response.text
    listed = requests.get(
        f"{URL}/v1/admin/workspaces/limits", headers=HEADERS, params={"workspace_id": WORKSPACE_ID}, timeout=30
    ).json()
    assert [limit["monthly_limit_usd"] for limit in listed["data"]] == [100]


@check
def requests_gets_the_reason_of_a_refusal():
    response = requests.post(
        f"{URL}/v1/admin/workspaces/limits",
        headers=HEADERS,
        json={"workspace_id": "wksp_missing", "monthly_limit_usd": 100.00},
        timeout=30,
    )
    body = response.json()
    assert response.status_code == 404 and body["error"]["message"] == "Workspace not found: wksp_missing"
    assert response.headers["request-id"] == body["request_id"]


# Both versions have these calls under beta.
def administration(key=ADMIN_KEY):
    return client(key).beta.organization


# A page of one item reads a list with all of its cursors.
def listed(method, *ids, **query):
    return list(method(*ids, limit=1, **query))


@check
def sdk_fills_and_deletes_groups():
    groups = administration().rbac_groups
    group = groups.create(name="Python")
    assert group.type == "rbac_group" and group.source_type == "direct" and group.role_ids == []
    assert groups.update(group.id, name="Snakes").name == "Snakes"
    member = groups.members.add(group.id, user_id=MEMBER_ID)
    assert (member.rbac_group_id, member.user_id) == (group.id, MEMBER_ID)
    assert [each.user_id for each in listed(groups.members.list, group.id)] == [MEMBER_ID]
    assert group.id in [each.id for each in listed(groups.list)]
    assert groups.members.remove(MEMBER_ID, rbac_group_id=group.id).type == "rbac_group_member_deleted"
    assert groups.delete(group.id).type == "rbac_group_deleted"
    raises(anthropic.NotFoundError, lambda: groups.retrieve(group.id))


@check
def sdk_lists_roles_with_their_permissions():
    roles = administration().rbac_roles
    role = next(each for each in listed(roles.list) if each.id == "admin")
    assert roles.retrieve(role.id) == role and role.type == "rbac_role"
    actions = [each.action for each in listed(roles.permissions.list, role.id)]
    assert "members:write" in actions and "owners:write" not in actions


@check
def sdk_signs_a_user_out():
    if anthropic.__version__.startswith("1."):
        return  # has no such call
    user = administration().users.sign_out(MEMBER_ID)
    assert user.id == MEMBER_ID and user.type == "user"


@check
def sdk_limits_a_user_and_reads_the_source_of_limits():
    admin = administration()
    limits = admin.spend_limits
    scope = {"type": "user", "user_id": MEMBER_ID}
    rows = lambda: listed(limits.effective.list, user_ids=[MEMBER_ID], period=["weekly"])
    assert rows() == []
    own = limits.set(scope=scope, amount="50000", period="weekly")
    assert own.amount == "50000" and own.scope.user_id == MEMBER_ID and limits.retrieve(own.id) == own
    assert own.id in [each.id for each in listed(limits.list, scope_type=["user"])]
    [row] = rows()
    assert row.source.type == "user" and row.spend_limit_id == own.id and row.period_to_date_spend == "0"
    assert limits.set(scope=scope, amount=None, period="weekly").amount is None
    assert limits.delete(own.id).type == "spend_limit_deleted"
    assert rows() == []


print(f"anthropic {anthropic.__version__}, requests {requests.__version__}")
run_checks()
