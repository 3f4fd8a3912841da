/** A first call to Claude through this server, for a terminal. Without a key, it is read from a variable. */
export function firstCall(origin: string, key: string | null): string {
  return `curl ${origin}/v1/messages \\
  -H "x-api-key: ${key ?? "$ANTHROPIC_API_KEY"}" \\
  -H 'anthropic-version: 2023-06-01' -H 'content-type: application/json' \\
  -d '{"model":"claude-sonnet-5","max_tokens":200,"messages":[{"role":"user","content":"Hello, Claude"}]}'`;
}
