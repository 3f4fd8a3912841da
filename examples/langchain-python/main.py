import os

from langchain_anthropic import ChatAnthropic

model = ChatAnthropic(
    model="claude-sonnet-5",
    base_url=os.environ["ANTHROPIC_BASE_URL"],
    max_tokens=200,
)

message = model.invoke("Hello, Claude")
print(message.text)
print(f"{message.usage_metadata['output_tokens']} output tokens")
