"""Calls a running server with the official OpenAI SDK for Python.

Reads BURSAR_URL and BURSAR_API_KEY from the environment.
"""

import asyncio
import os

import openai
from checks import check, raises, run_checks

BASE_URL = os.environ["BURSAR_URL"] + "/v1"
API_KEY = os.environ["BURSAR_API_KEY"]

MODEL = "claude-sonnet-5"
MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Why is the sky blue?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def client(key=API_KEY, **options):
    return openai.OpenAI(api_key=key, base_url=BASE_URL, **options)


@check
def completes_a_chat():
    completion = client().chat.completions.create(model=MODEL, messages=MESSAGES)
    [choice] = completion.choices
    assert completion.object == "chat.completion" and completion.model == MODEL
    assert choice.message.content and choice.finish_reason == "stop"
    usage = completion.usage
    assert usage.prompt_tokens > 0 and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert completion._request_id.startswith("req_")


@check
def streams_a_chat():
    request = {"model": MODEL, "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client().chat.completions.create(**request))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    whole = client().chat.completions.create(model=MODEL, messages=MESSAGES)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage and chunks[-1].choices == []


@check
def streams_without_blocking():
    async def stream():
        asynchronous = openai.AsyncOpenAI(api_key=API_KEY, base_url=BASE_URL)
        async with asynchronous.chat.completions.stream(model=MODEL, messages=MESSAGES) as events:
            return await events.get_final_completion()

    assert asyncio.run(stream()).choices[0].message.content


@check
def calls_a_tool_and_sends_its_result():
    create = client().chat.completions.create
    forced = {"type": "function", "function": {"name": "get_weather"}}
    first = create(model=MODEL, messages=MESSAGES, tools=TOOLS, tool_choice=forced).choices[0]
    assert first.finish_reason == "tool_calls"
    [call] = first.message.tool_calls
    assert call.function.name == "get_weather" and call.function.arguments.startswith("{")
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    second = create(model=MODEL, messages=[*MESSAGES, first.message, result], tools=TOOLS).choices[0]
    assert second.finish_reason == "stop" and second.message.content


@check
def lists_models():
    models = client().models.list()
    assert MODEL in [model.id for model in models]
    assert client().models.retrieve(MODEL).id == MODEL


@check
def reports_a_wrong_key_without_a_retry():
    error = raises(
        openai.AuthenticationError,
        lambda: client("sk-ant-api03-wrong").chat.completions.create(model=MODEL, messages=MESSAGES),
    )
    assert error.type == "authentication_error" and error.request_id.startswith("req_")
    assert error.response.headers["x-should-retry"] == "false"


@check
def reports_a_wrong_field():
    error = raises(
        openai.BadRequestError, lambda: client().chat.completions.create(model=MODEL, messages=MESSAGES, n=2)
    )
    assert error.code == "invalid_fields" and error.param == "n"


@check
def streams_a_tool_call_without_blocking():
    async def stream():
        asynchronous = openai.AsyncOpenAI(api_key=API_KEY, base_url=BASE_URL)
        request = {"model": MODEL, "messages": MESSAGES, "tools": TOOLS, "tool_choice": "required"}
        async with asynchronous.chat.completions.stream(**request) as events:
            return await events.get_final_completion()

    [choice] = asyncio.run(stream()).choices
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert call.function.name == "get_weather" and call.function.arguments.startswith("{")


@check
def repeats_a_request_that_may_succeed_later():
    sent = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request.url.path)]})
    with client(max_retries=2, http_client=http) as retrying:
        error = raises(
            openai.InternalServerError,
            lambda: retrying.chat.completions.create(model="simulate-overloaded", messages=MESSAGES),
        )
    assert error.status_code == 529 and error.type == "overloaded_error"
    assert sent == ["/v1/chat/completions"] * 3


@check
def throws_an_error_that_ends_a_stream():
    stream = client().chat.completions.create(model="simulate-break-4", messages=MESSAGES, stream=True)
    error = raises(openai.APIError, lambda: list(stream))
    assert "verloaded" in error.message


@check
def ignores_fields_without_a_meaning_for_claude():
    completion = client().chat.completions.create(
        model=MODEL,
        messages=MESSAGES,
        frequency_penalty=1,
        logit_bias={"1": 1},
        logprobs=True,
        metadata={"a": "b"},
        presence_penalty=1,
        reasoning_effort="high",
        response_format={"type": "json_object"},
        seed=1,
        service_tier="auto",
        store=True,
        top_logprobs=2,
        user="a",
    )
    assert completion.choices[0].finish_reason == "stop" and completion.choices[0].logprobs is None


@check
def reports_a_route_that_is_not_served():
    error = raises(openai.NotFoundError, lambda: client().embeddings.create(model=MODEL, input="Hello"))
    assert error.status_code == 404 and "/v1/embeddings" in error.message


print(f"openai {openai.__version__}")
run_checks()
