import { describe, expect } from "vitest";
import { test as base } from "#test/harness/product-test.ts";
import type { WorkspaceWithKey } from "#test/harness/server-process.ts";

// Two workspaces on one upstream, over each kind of object and each operation. The other workspace gets the answer of an id
// that never existed. The owner's object stays as it is.

interface Answer {
  status: number;
  text: string;
}

type Send = (method: string, path: string, body?: object | FormData) => Promise<Answer>;

const test = base.extend("makeSender", ({ server }) => ({ key }: WorkspaceWithKey): Send => {
  return async (method, path, body) => {
    const isForm = body instanceof FormData;
    const response = await fetch(server.url + path, {
      method,
      headers: {
        "x-api-key": key,
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "message-threads-2026-08-12",
        ...(body !== undefined && !isForm && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
});

const text = { role: "user", content: "Hi" };
const message = (fields: object) => ({
  model: "claude-sonnet-5",
  max_tokens: 50,
  messages: [text],
  ...fields,
});
const withBlock = (block: object) =>
  message({ messages: [{ role: "user", content: [block, { type: "text", text: "Hi" }] }] });
const withFile = (type: string) => (id: string) =>
  withBlock({ type, source: { type: "file", file_id: id } });
const withUpload = (id: string) => ({
  ...withBlock({ type: "container_upload", file_id: id }),
  tools: [{ type: "code_execution_20250825", name: "code_execution" }],
});
const withContainer = (id: string) => message({ container: id });
const withContainerObject = (id: string) => message({ container: { id } });
const withSkill = (id: string) =>
  message({ container: { skills: [{ type: "custom", skill_id: id, version: "latest" }] } });
const withThread = (id: string) =>
  message({ thread: { type: "continue", previous_message_id: id } });

function formOf(name: string, filename: string, content: string): FormData {
  const form = new FormData();
  form.append(name, new File([content], filename));
  return form;
}
const skillForm = () =>
  formOf("files[]", "my-skill/SKILL.md", "---\nname: my-skill\ndescription: A skill.\n---\n");

/** An operation on an object by its id. */
type Operation = readonly [name: string, send: (send: Send, id: string) => Promise<Answer>];

const get = (name: string, path: (id: string) => string): Operation => [
  `get ${name}`,
  (send, id) => send("GET", path(id)),
];
const remove = (name: string, path: (id: string) => string): Operation => [
  `delete ${name}`,
  (send, id) => send("DELETE", path(id)),
];
const named = (name: string, body: (id: string) => object): Operation[] => [
  [`name as ${name}`, (send, id) => send("POST", "/v1/messages", body(id))],
  [`stream as ${name}`, (send, id) => send("POST", "/v1/messages", { ...body(id), stream: true })],
  [`count as ${name}`, (send, id) => send("POST", "/v1/messages/count_tokens", body(id))],
  [
    `batch as ${name}`,
    (send, id) =>
      send("POST", "/v1/messages/batches", {
        requests: [{ custom_id: "one", params: body(id) }],
      }),
  ],
];
const cursors = (name: string, list: string): Operation[] =>
  ["after_id", "before_id"].map((cursor) => [
    `list ${name} by ${cursor}`,
    (send, id) => send("GET", `${list}?${cursor}=${id}`),
  ]);

interface Kind {
  name: string;
  /** Creates an object. Returns its id. */
  create: (send: Send) => Promise<string>;
  operations: readonly Operation[];
  /** Reads or uses the object as its owner. */
  use: (send: Send, id: string) => Promise<Answer>;
  /** List without cursors, in which no other workspace finds the object. Null: the kind has none. */
  list: string | null;
}

const idOf = ({ status, text: body }: Answer): string => {
  expect([status, body]).toEqual([200, expect.stringContaining('"id"')]);
  return JSON.parse(body).id;
};
const LIST_OF_IDS = "get a list of ids";
const fileOperations = [
  get("metadata", (id) => `/v1/files/${id}`),
  get("content", (id) => `/v1/files/${id}/content`),
  get("a list of ids", (id) => `/v1/files?ids[]=${id}`),
  ...cursors("files", "/v1/files"),
  ...named("document", withFile("document")),
  ...named("image", withFile("image")),
  ...named("upload", withUpload),
  remove("file", (id) => `/v1/files/${id}`),
];
const uploadFile = async (send: Send) =>
  idOf(await send("POST", "/v1/files", formOf("file", "data.txt", "content")));
const runCode = async (send: Send) => {
  const answer = await send("POST", "/v1/messages", withUpload(await uploadFile(send)));
  expect(answer.status).toBe(200);
  return answer.text;
};

const kinds: readonly Kind[] = [
  {
    name: "file",
    create: uploadFile,
    operations: fileOperations,
    use: (send, id) => send("GET", `/v1/files/${id}`),
    list: "/v1/files",
  },
  {
    name: "file of code",
    async create(send) {
      const answer = JSON.parse(await runCode(send));
      const results = answer.content.map((block: { content?: unknown }) => block.content);
      const made = JSON.stringify(results).match(/"file_id":"(file_\w+)"/);
      return made?.[1] ?? "";
    },
    operations: fileOperations,
    use: (send, id) => send("GET", `/v1/files/${id}/content`),
    list: "/v1/files",
  },
  {
    name: "skill",
    create: async (send) => idOf(await send("POST", "/v1/skills", skillForm())),
    operations: [
      get("skill", (id) => `/v1/skills/${id}`),
      get("versions", (id) => `/v1/skills/${id}/versions`),
      get("version", (id) => `/v1/skills/${id}/versions/latest`),
      get("content of a version", (id) => `/v1/skills/${id}/versions/latest/content`),
      ...cursors("skills", "/v1/skills"),
      ...named("skill", withSkill),
      ["create a version", (send, id) => send("POST", `/v1/skills/${id}/versions`, skillForm())],
      remove("version", (id) => `/v1/skills/${id}/versions/latest`),
      remove("skill", (id) => `/v1/skills/${id}`),
    ],
    use: (send, id) => send("GET", `/v1/skills/${id}`),
    list: "/v1/skills",
  },
  {
    name: "message batch",
    create: async (send) =>
      idOf(
        await send("POST", "/v1/messages/batches", {
          requests: [{ custom_id: "one", params: message({}) }],
        }),
      ),
    operations: [
      get("batch", (id) => `/v1/messages/batches/${id}`),
      get("results", (id) => `/v1/messages/batches/${id}/results`),
      ...cursors("batches", "/v1/messages/batches"),
      ["cancel", (send, id) => send("POST", `/v1/messages/batches/${id}/cancel`)],
      remove("batch", (id) => `/v1/messages/batches/${id}`),
    ],
    use: (send, id) => send("GET", `/v1/messages/batches/${id}`),
    list: "/v1/messages/batches",
  },
  {
    name: "container",
    create: async (send) => JSON.parse(await runCode(send)).container.id,
    operations: [
      ...named("container", withContainer),
      ...named("object with a container", withContainerObject),
    ],
    use: (send, id) => send("POST", "/v1/messages", withContainer(id)),
    list: null,
  },
  {
    name: "thread",
    create: async (send) =>
      idOf(await send("POST", "/v1/messages", message({ thread: { type: "create" } }))),
    operations: named("thread", withThread),
    use: (send, id) => send("POST", "/v1/messages", withThread(id)),
    list: null,
  },
];

/** The answer without what differs in any two answers: ids of requests, and the id that was sent. */
function toComparable({ status, text: body }: Answer, id: string): [number, string] {
  return [status, body.replaceAll(id, "ID").replaceAll(/req_\w+/g, "REQUEST")];
}

describe.each(kinds)("a $name of another workspace", ({ create, operations, use, list }) => {
  test("has the answers of one that never existed, and stays as it is", async ({
    server,
    makeSender,
  }) => {
    const [own, other] = [await server.workspaceWithKey(), await server.workspaceWithKey()];
    const [owner, stranger] = [makeSender(own), makeSender(other)];
    const id = await create(owner);
    expect(id).not.toBe("");
    const unknownId = `${id.slice(0, -6)}zzzzzz`;
    for (const [name, operate] of operations) {
      const foreign = await operate(stranger, id);
      const unknown = await operate(stranger, unknownId);
      expect([name, ...toComparable(foreign, id)]).toEqual([
        name,
        ...toComparable(unknown, unknownId),
      ]);
      if (name === LIST_OF_IDS) expect(JSON.parse(foreign.text).data).toEqual([]);
      else expect([name, foreign.status >= 400 && foreign.status < 500]).toEqual([name, true]);
    }
    if (list !== null) {
      expect((await stranger("GET", list)).text).not.toContain(id);
      expect((await owner("GET", list)).text).toContain(id);
    }
    const used = await use(owner, id);
    expect([used.status, used.text]).toEqual([200, expect.anything()]);
  });
});

describe("a cursor of another workspace", () => {
  test.for(["/v1/files", "/v1/skills"])(
    "of %s is refused",
    async (list, { server, makeSender }) => {
      const [own, other] = [await server.workspaceWithKey(), await server.workspaceWithKey()];
      const owner = makeSender(own);
      const create = list === "/v1/files" ? kinds[0]?.create : kinds[2]?.create;
      for (let i = 0; i < 2; i++) await create?.(owner);
      const { next_page: cursor } = JSON.parse((await owner("GET", `${list}?limit=1`)).text);
      expect((await owner("GET", `${list}?limit=1&page=${cursor}`)).status).toBe(200);
      const refused = await makeSender(other)("GET", `${list}?limit=1&page=${cursor}`);
      expect([refused.status, JSON.parse(refused.text).error.details.error_code]).toEqual([
        400,
        "invalid_cursor",
      ]);
    },
  );
});
