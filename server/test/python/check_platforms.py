"""Calls a running server with the official Python SDK in Bedrock and in Vertex mode.

Reads BURSAR_URL and BURSAR_API_KEY from the environment.
"""

import asyncio
import os

import anthropic
from checks import check, raises, run_checks

URL = os.environ["BURSAR_URL"]
API_KEY = os.environ["BURSAR_API_KEY"]

MESSAGES = [{"role": "user", "content": "Why is the sky blue?"}]
TOOLS = [
    {
        "name": "get_weather",
        "description": "Weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
BEDROCK_MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
VERTEX_MODEL = "claude-sonnet-4-5@20250929"


def bedrock(key=API_KEY, kind=anthropic.AnthropicBedrock):
    return kind(api_key=key, base_url=f"{URL}/bedrock", aws_region="eu-central-1", max_retries=0)


def vertex(key=API_KEY, kind=anthropic.AnthropicVertex):
    return kind(access_token=key, base_url=f"{URL}/vertex/v1", project_id="any", region="global", max_retries=0)


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def call_all(client, model):
    """A message, a stream and a tool call of one client."""
    whole = client.messages.create(model=model, max_tokens=1000, messages=MESSAGES)
    assert text_of(whole) and whole.usage.output_tokens > 0
    with client.messages.stream(model=model, max_tokens=1000, messages=MESSAGES) as stream:
        streamed = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert streamed == text_of(final) == text_of(whole)
    assert final.usage.output_tokens == whole.usage.output_tokens
    asked = client.messages.create(
        model=model, max_tokens=1000, messages=[{"role": "user", "content": "Use get_weather."}], tools=TOOLS
    )
    assert asked.stop_reason == "tool_use", asked.stop_reason
    assert [block.name for block in asked.content if block.type == "tool_use"] == ["get_weather"]


async def call_async(client, model):
    message = await client.messages.create(model=model, max_tokens=1000, messages=MESSAGES)
    async with client.messages.stream(model=model, max_tokens=1000, messages=MESSAGES) as stream:
        assert await stream.get_final_text() == text_of(message)


@check
def bedrock_mode_sends_messages_streams_and_tools():
    call_all(bedrock(), BEDROCK_MODEL)


@check
def bedrock_mode_works_without_blocking():
    asyncio.run(call_async(bedrock(kind=anthropic.AsyncAnthropicBedrock), BEDROCK_MODEL))


@check
def bedrock_mode_raises_its_own_errors():
    wrong = bedrock("sk-ant-api03-wrong")
    raises(
        (anthropic.AuthenticationError, anthropic.PermissionDeniedError),
        lambda: wrong.messages.create(model=BEDROCK_MODEL, max_tokens=1, messages=MESSAGES),
    )
    error = raises(
        anthropic.BadRequestError,
        lambda: bedrock().messages.create(model=BEDROCK_MODEL, max_tokens=0.5, messages=MESSAGES),
    )
    assert "max_tokens" in str(error)


@check
def vertex_mode_sends_messages_streams_and_tools():
    call_all(vertex(), VERTEX_MODEL)


@check
def vertex_mode_counts_tokens():
    counted = vertex().messages.count_tokens(model=VERTEX_MODEL, messages=MESSAGES)
    message = vertex().messages.create(model=VERTEX_MODEL, max_tokens=1000, messages=MESSAGES)
    assert counted.input_tokens == message.usage.input_tokens


@check
def vertex_mode_works_without_blocking():
    asyncio.run(call_async(vertex(kind=anthropic.AsyncAnthropicVertex), VERTEX_MODEL))


@check
def vertex_mode_raises_its_own_errors():
    wrong = vertex("sk-ant-api03-wrong")
    raises(
        anthropic.AuthenticationError,
        lambda: wrong.messages.create(model=VERTEX_MODEL, max_tokens=1, messages=MESSAGES),
    )


run_checks()
