import { expect, test } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import {
  messageEnd,
  messageJson,
  messageStart,
  sse,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { awsKey, bedrockAccount, toAwsCredential } from "#test/harness/platform-test.ts";
import {
  type BedrockAnswer,
  type BedrockPlatform,
  type BedrockRequest,
  startBedrockPlatform,
} from "#test/harness/platforms/bedrock-platform.ts";
import { sendMessage } from "#test/harness/server-process.ts";
import { type Access, inBedrockMode, inVertexMode } from "./run-client.ts";
import { expectToolTurn } from "./tool-turn.ts";
import { useServer } from "./use-server.ts";

// Claude Code in each of its modes, with Amazon Bedrock behind the server. The platform refuses unknown fields and betas.

const CHANGE_MS = 30_000;
const served = useServer({
  args: [],
  env: { BURSAR_ALLOW_PRIVATE_UPSTREAMS: "127.0.0.1" },
});

interface Block {
  type: string;
  content?: unknown;
}

/** Calls the tool Bash for a prompt, and repeats the result of a tool. */
function answer({ action, body }: BedrockRequest): BedrockAnswer {
  if (action === "count-tokens") return { kind: "count", tokens: 12 };
  if (action === "invoke") return { kind: "message", message: messageJson() };
  const messages = body["messages"] as { content: string | Block[] }[];
  const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  const result = blocks.find(({ type }) => type === "tool_result");
  if (result !== undefined) {
    const text = `The tool returned: ${toText(result.content)}`;
    const start = sse("content_block_start", {
      index: 0,
      content_block: { type: "text", text: "" },
    });
    return { kind: "events", events: [messageStart(), start, textDelta(text), ...messageEnd()] };
  }
  const [stop = "", , end = ""] = messageEnd();
  const input = JSON.stringify({ command: "pwd", description: "Print the folder" });
  const toolUse = { type: "tool_use", id: "toolu_1", name: "Bash", input: {} };
  const delta = { stop_reason: "tool_use", stop_sequence: null };
  const events = [
    messageStart(),
    sse("content_block_start", { index: 0, content_block: toolUse }),
    sse("content_block_delta", {
      index: 0,
      delta: { type: "input_json_delta", partial_json: input },
    }),
    stop,
    sse("message_delta", { delta, usage: { output_tokens: 5 } }),
    end,
  ];
  return { kind: "events", events };
}

function toText(content: unknown): string {
  if (typeof content === "string") return content;
  return (content as { text?: string }[]).map(({ text = "" }) => text).join("");
}

async function storeBedrock(): Promise<{ bedrock: BedrockPlatform; key: string }> {
  const bedrock = await startBedrockPlatform(bedrockAccount);
  bedrock.answer = answer;
  const { server } = served;
  await server.mustOperator("POST", "/v1/admin/upstreams", {
    name: "Bedrock",
    base_url: bedrock.origin,
    provider_settings: {
      provider: "bedrock",
      region: bedrockAccount.region,
      authentication: "access_key",
    },
    credential: toAwsCredential(awsKey),
  });
  const { key } = await server.workspaceWithKey();
  await eventually(CHANGE_MS, "a message at the platform", async () => {
    const { status } = await sendMessage(server.url, key, { model: "claude-sonnet-4-6" });
    return status === 200 && bedrock.requests.length > 0 ? true : null;
  });
  return { bedrock, key };
}

test("Claude Code in each of its modes runs a turn with a tool on Amazon Bedrock", async () => {
  const { bedrock, key } = await storeBedrock();
  const modes = [(access: Access) => access, inBedrockMode, inVertexMode];
  for (const toMode of modes) {
    served.takeMessages();
    const from = bedrock.requests.length;
    await expectToolTurn(toMode({ url: served.url, key }));
    expect(served.takeMessages().map(({ status }) => status)).toEqual([200, 200]);
    const streams = bedrock.requests
      .slice(from)
      .filter(({ action }) => action === "invoke-with-response-stream");
    expect(streams).toHaveLength(2);
    for (const { modelId } of streams) expect(modelId).toMatch(/^eu\.anthropic\.claude-/);
  }
  expect(bedrock.refused).toEqual([]);
  await bedrock.close();
});
