from anthropic import Anthropic

# The client reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
client = Anthropic()

with client.messages.stream(
    model="claude-sonnet-5",
    max_tokens=200,
    messages=[{"role": "user", "content": "Hello, Claude"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="")
    message = stream.get_final_message()
print(f"\n{message.usage.output_tokens} output tokens")
