import { describe, expect, test } from "vitest";
import { parse, smallest } from "#test/harness/parsed-messages.ts";
import { parseMessage } from "./parse-message.ts";

const userMessage = (...content: object[]) => ({ messages: [{ role: "user", content }] });
const file = (id: string) => ({ type: "document", source: { type: "file", file_id: id } });
const objectsOf = (fields: object) =>
  parse({ ...smallest, ...fields }).objects.map(({ kind, id }) => `${kind} ${id}`);

describe("the objects that a request names", () => {
  test.each([
    [
      "a document and an image",
      userMessage(file("a"), { ...file("b"), type: "image" }),
      "file a",
      "file b",
    ],
    ["a file twice", userMessage(file("a"), file("a")), "file a"],
    ["a file for the container", userMessage({ type: "container_upload", file_id: "a" }), "file a"],
    [
      "a file in the result of a tool",
      userMessage({ type: "tool_result", tool_use_id: "t", content: [file("a")] }),
      "file a",
    ],
    [
      "a file that code made in an earlier turn",
      userMessage({
        type: "bash_code_execution_tool_result",
        tool_use_id: "t",
        content: {
          type: "bash_code_execution_result",
          content: [{ type: "bash_code_execution_output", file_id: "a" }],
        },
      }),
      "file a",
    ],
    ["a container", { container: "c" }, "container c"],
    ["a container by its id", { container: { id: "c", skills: [] } }, "container c"],
    [
      "a custom skill, and none of Anthropic",
      {
        container: {
          skills: [
            { type: "custom", skill_id: "skill_1", version: "latest" },
            { type: "anthropic", skill_id: "pptx", version: "latest" },
          ],
        },
      },
      "skill skill_1",
    ],
    ["a skill without a type", { container: { skills: [{ skill_id: "s" }] } }, "skill s"],
    [
      "a thread to continue",
      { thread: { type: "continue", previous_message_id: "msg_1" } },
      "thread msg_1",
    ],
    [
      "a skill with the wrong type",
      { container: { skills: [{ type: "anthropic", skill_id: "skill_1" }] } },
      "skill skill_1",
    ],
    ["a file in an unknown field", { unknown: { deep: [{ any: "file_1" }] } }, "file file_1"],
    [
      "a file in an unknown field of a block",
      userMessage({ type: "text", text: "file_2", unknown: ["file_1"] }),
      "file file_1",
    ],
    [
      "a container in an unknown field of a tool",
      { tools: [{ name: "t", input_schema: {}, unknown: "container_1" }] },
      "container container_1",
    ],
    ["a skill that is no object", { container: { skills: ["skill_1"] } }, "skill skill_1"],
    ["a thread in an unknown field", { thread: { type: "continue", id: "msg_1" } }, "thread msg_1"],
  ] as [string, object, ...string[]][])("are listed: %s", (_, fields, ...names) => {
    expect(objectsOf(fields)).toEqual(names);
  });

  test.each([
    ["a new thread", { thread: { type: "create" } }],
    ["nulls", { thread: null, container: { id: null, skills: null } }],
    ["text", userMessage({ type: "text", text: '{"file_id":"a"}' })],
    [
      "input of a tool",
      {
        messages: [
          {
            role: "assistant",
            content: [{ type: "tool_use", id: "t", name: "n", input: { file_id: "a" } }],
          },
        ],
      },
    ],
  ])("are none in %s", (_, fields) => {
    expect(objectsOf(fields)).toEqual([]);
  });

  test("are listed from an unknown field with escapes", () => {
    const body = '{"model":"m","messages":[],"unknown":["\\u0066ile\\u005f1","a file_2"]}';
    expect(parseMessage(Buffer.from(body)).objects).toEqual([{ kind: "file", id: "file_1" }]);
  });

  test("are at most 1,000", () => {
    const files = (count: number) => Array.from({ length: count }, (_, i) => file(`file_${i}`));
    expect(objectsOf(userMessage(...files(1_000), ...files(1_000)))).toHaveLength(1_000);
    expect(() => objectsOf(userMessage(...files(1_001)))).toThrow(
      "a request can name 1000 files and skills at most",
    );
  });
});
