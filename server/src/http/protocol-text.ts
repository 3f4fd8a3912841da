/** One address that this server serves to clients of Claude Code. */
interface ProtocolEntry {
  call: string;
  credential: string;
  description: string;
}

const TOKEN = "access token";
const KEY = "API key or access token";

const entries: readonly ProtocolEntry[] = [
  {
    call: "GET /.well-known/oauth-authorization-server",
    credential: "none",
    description: "Addresses of the sign-in.",
  },
  {
    call: "POST /oauth/device_authorization, /oauth/token, /oauth/revoke",
    credential: "none",
    description: "Sign-in of a laptop by a code that its member approves in the console.",
  },
  {
    call: "GET /managed/settings",
    credential: TOKEN,
    description: "Settings of the company with their checksum, or a 404 without settings.",
  },
  {
    call: "POST /v1/messages",
    credential: KEY,
    description: "A message. A laptop also gets the headers about its person's own spend limits.",
  },
  {
    call: "POST /v1/messages/count_tokens",
    credential: KEY,
    description: "Counts tokens. The rate limits of a person do not count those of a laptop.",
  },
  {
    call: "GET /v1/models",
    credential: KEY,
    description: "Models that the key and the groups of its owner allow.",
  },
  {
    call: "GET /api/oauth/usage",
    credential: TOKEN,
    description: "Own spend limits with their use, in cents.",
  },
  {
    call: "POST /v1/metrics, /v1/logs, /v1/traces",
    credential: TOKEN,
    description: "Telemetry by OTLP over HTTP, as JSON or protobuf. The answer is an empty 200.",
  },
  { call: "HEAD /api/hello", credential: "none", description: "Check of the connection." },
];

const rules: readonly string[] = [
  "Unknown fields and headers of a message reach the upstream.",
  "No address redirects.",
  "A 401 has `x-should-retry: false`.",
  "A used spend limit is a 429 with `anthropic-ratelimit-unified-status: rejected`, and is sent once.",
  "`request-id` names each response, and `error.details.error_code` the cause of a refusal.",
];

/** Text about the addresses for clients of Claude Code, as Markdown. */
export function formatProtocol(): string {
  const rows = entries.map(
    ({ call, credential, description }) => `| \`${call}\` | ${credential} | ${description} |`,
  );
  return `# Addresses for Claude Code

This server answers these calls of Claude Code.

| call | credential | description |
|---|---|---|
${rows.join("\n")}

${rules.map((rule) => `- ${rule}`).join("\n")}
`;
}
