from pydantic_ai import Agent

# The provider reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
agent = Agent("anthropic:claude-sonnet-5")

result = agent.run_sync("Hello, Claude")
print(result.output)
