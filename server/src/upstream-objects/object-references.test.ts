import { describe, expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { type Exchange, messageJson, sse } from "#test/harness/fake-upstream.ts";
import { type Answer, messageBody, ORGANIZATION_ID } from "#test/harness/gateway.ts";
import { openUpstream } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { type ObjectClient, openObjectGateway } from "#test/harness/object-gateway.ts";

const errorOf = (answer: Answer) => JSON.parse(answer.text).error;
const later = "2099-01-01T00:00:00Z";
const codeTool = { tools: [{ type: "code_execution_20260120", name: "code_execution" }] };
const send = (client: ObjectClient, fields: object) => client.call({ body: messageBody(fields) });
const withFile = (id: string) => ({
  messages: [{ role: "user", content: [{ type: "container_upload", file_id: id }] }],
});

/** Result of code that made a file, and input of a client tool that repeats an id. */
const blocksWith = (id: string, repeated: string) => [
  {
    type: "bash_code_execution_tool_result",
    tool_use_id: "srvtoolu_1",
    content: {
      type: "bash_code_execution_result",
      content: [{ type: "bash_code_execution_output", file_id: id }],
    },
  },
  { type: "tool_use", id: "toolu_1", name: "read", input: { file_id: repeated } },
  { type: "text", text: JSON.stringify({ file_id: repeated }) },
];

interface Given {
  messageId: string;
  container: string;
  file: string;
  repeated: string;
}

const answerJson = (exchange: Exchange, given: Given) =>
  exchange.json({
    ...messageJson(),
    id: given.messageId,
    container: { id: given.container, expires_at: later },
    content: blocksWith(given.file, given.repeated),
  });

async function answerStream(exchange: Exchange, given: Given): Promise<void> {
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { ...messageJson(), id: given.messageId, content: [], usage };
  const blocks = blocksWith(given.file, given.repeated).map((content_block, index) =>
    sse("content_block_start", { type: "content_block_start", index, content_block }),
  );
  const delta = { stop_reason: "end_turn", container: { id: given.container, expires_at: later } };
  await exchange.stream([
    sse("message_start", { type: "message_start", message }),
    ...blocks,
    sse("message_delta", { type: "message_delta", delta, usage: { output_tokens: 5 } }),
    sse("message_stop", { type: "message_stop" }),
  ]);
}

describeEachReader((reader) => {
  const idOf = (name: string) => `${name}_${reader}`;

  describe.each([
    ["a JSON answer", false, answerJson],
    ["a stream", true, answerStream],
  ] as const)("objects that %s gives", (_, stream, answer) => {
    test("can be named by their workspace at once, and by no other one", async ({ db }) => {
      const name = (kind: string) => idOf(`${kind}_${stream}`);
      const given: Given = {
        messageId: name("msg"),
        container: name("container"),
        file: name("file"),
        repeated: name("file_foreign"),
      };
      const upstream = await openUpstream();
      upstream.script = (exchange) => answer(exchange, given);
      const { addWorkspace } = await openObjectGateway({ db, origin: upstream.origin });
      const [own, other] = [addWorkspace(name("own")), addWorkspace(name("other"))];
      const thread = { thread: { type: "create" } };
      expect((await send(own, { ...codeTool, ...thread, stream })).status).toBe(200);
      const sent = upstream.received.length;
      const uses = [
        [{ container: given.container }, "Container", given.container],
        [{ container: { id: given.container, skills: [] } }, "Container", given.container],
        [withFile(given.file), "File", given.file],
        [
          { thread: { type: "continue", previous_message_id: given.messageId } },
          "Thread",
          given.messageId,
        ],
      ] as const;
      for (const [fields, word, id] of uses) {
        const foreign = await send(other, fields);
        expect([foreign.status, errorOf(foreign).message]).toEqual([
          404,
          `${word} ${id} not found.`,
        ]);
      }
      const repeated = await send(own, withFile(given.repeated));
      expect([repeated.status, errorOf(repeated).message]).toEqual([
        404,
        `File ${given.repeated} not found.`,
      ]);
      expect(upstream.received).toHaveLength(sent);
      for (const [fields] of uses) expect((await send(own, fields)).status).toBe(200);
      expect(upstream.received).toHaveLength(sent + uses.length);
    });
  });

  test("an object that is recorded twice at once has the later end, in any order", async ({
    db,
  }) => {
    const { objects } = await openObjectGateway({ db });
    const workspaceId = idOf("ends");
    const caller = { organizationId: ORGANIZATION_ID, workspaceId, id: "apikey_test" };
    const container = {
      kind: "container",
      upstreamId: "environment",
      failover: null,
      description: null,
    } as const;
    const endsAt = async () => {
      const found = await objects.find(caller, { kind: "container", id: idOf("twice") });
      return found?.expires_at?.getTime();
    };
    const at = (ms: number) => ({ ...container, id: idOf("twice"), expiresAt: new Date(ms) });
    await objects.record(caller, [at(2_000), at(3_000), at(1_000)]);
    expect(await endsAt()).toBe(3_000);
    await objects.record(caller, [at(4_000)]);
    await objects.record(caller, [at(2_000)]);
    expect(await endsAt()).toBe(4_000);
    await objects.record({ ...caller, workspaceId: idOf("thief") }, [at(9_000)]);
    expect(await endsAt()).toBe(4_000);
  });

  describe("a request", () => {
    test("without an owned object does not differ from one with an unknown id", async ({ db }) => {
      const upstream = await openUpstream();
      const { addWorkspace, objects } = await openObjectGateway({ db, origin: upstream.origin });
      const [own, other] = [addWorkspace(idOf("known")), addWorkspace(idOf("stranger"))];
      const answers = async () => {
        const answer = await send(other, withFile(idOf("file_x")));
        return [answer.status, answer.text.replaceAll(/req_\w+/g, "req")];
      };
      const before = await answers();
      await objects.record(
        { organizationId: ORGANIZATION_ID, workspaceId: own.workspaceId, id: "apikey_test" },
        [
          {
            kind: "file",
            id: idOf("file_x"),
            upstreamId: "environment",
            expiresAt: null,
            failover: null,
            description: null,
          },
        ],
      );
      expect(await answers()).toEqual(before);
      expect((await send(own, withFile(idOf("file_x")))).status).toBe(200);
    });

    test("with objects of several upstreams is refused", async ({ db }) => {
      const upstream = await openUpstream();
      const { addWorkspace, objects } = await openObjectGateway({ db, origin: upstream.origin });
      const client = addWorkspace(idOf("several"));
      const caller = { organizationId: ORGANIZATION_ID, workspaceId: client.workspaceId, id: "k" };
      const row = { kind: "file", expiresAt: null, failover: null, description: null } as const;
      await objects.record(caller, [
        { ...row, id: idOf("file_one"), upstreamId: "upst_1" },
        { ...row, id: idOf("file_two"), upstreamId: "upst_2" },
      ]);
      const content = [idOf("file_one"), idOf("file_two")].map((file_id) => ({
        type: "container_upload",
        file_id,
      }));
      const answer = await send(client, { messages: [{ role: "user", content }] });
      expect([answer.status, errorOf(answer).details.error_code]).toEqual([400, "invalid_fields"]);
      expect(upstream.received).toEqual([]);
    });

    test("that names a text which is no id is refused without a query", async ({ db }) => {
      const upstream = await openUpstream();
      const findAll = () => Promise.reject(new Error("no query"));
      const { addWorkspace } = await openObjectGateway({
        db,
        origin: upstream.origin,
        objects: { findAll },
      });
      const client = addWorkspace(idOf("texts"));
      for (const id of ["", "a/b", "\u0000", "x".repeat(129)]) {
        expect((await send(client, withFile(id))).status).toBe(404);
      }
    });

    test("with a skill of Anthropic and a new thread passes", async ({ db }) => {
      const upstream = await openUpstream();
      const { addWorkspace } = await openObjectGateway({ db, origin: upstream.origin });
      const skills = [{ type: "anthropic", skill_id: "pptx", version: "latest" }];
      const fields = { container: { skills }, thread: { type: "create" } };
      expect((await send(addWorkspace(idOf("anthropic")), fields)).status).toBe(200);
    });
  });
});
