import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { parse, smallest } from "#test/harness/parsed-messages.ts";
import { refuseUnshareable } from "./parse-message.ts";

describe("a shared upstream", () => {
  const ordinary = { ...smallest, tools: [{ type: "web_search_20250305", name: "web_search" }] };
  test("passes parts with their own content", () => {
    expect(() => refuseUnshareable(parse(ordinary))).not.toThrow();
  });

  test.each([
    [{ container: "container_1" }, "containers (container)"],
    [
      { container: { skills: [{ type: "custom", skill_id: "skill_1" }] } },
      "skills (container.skills)",
    ],
    [
      {
        messages: [
          {
            role: "user",
            content: [{ type: "document", source: { type: "file", file_id: "file_1" } }],
          },
        ],
      },
      "file ids (file_id)",
    ],
    [
      {
        container: "c",
        messages: [{ role: "user", content: [{ type: "container_upload", file_id: "file_1" }] }],
      },
      "file ids (file_id) and containers (container)",
    ],
  ])("refuses %j, naming what it may not carry", (fields, name) => {
    expect(() => refuseUnshareable(parse({ ...smallest, ...fields }))).toThrow(
      new ApiError(
        "shared_resource_unsupported",
        `This server does not serve ${name}: all workspaces share one upstream account, where they could belong to another workspace. Send the content itself in the request, without these fields.`,
      ),
    );
  });

  test.each([
    [{ thread: { type: "create" } }],
    [{ thread: { type: "continue", previous_message_id: "msg_1" } }],
    [{ thread: {}, container: "container_1" }],
  ])("refuses %j with the cause that an SDK answers without a thread", (fields) => {
    expect(() => refuseUnshareable(parse({ ...smallest, ...fields }))).toThrow(
      new ApiError(
        "thread_unsupported_request",
        "thread: This server does not store conversations. Send the whole conversation in messages, without thread.",
        {},
        { unsupported: ["thread"] },
      ),
    );
  });

  test.each([{ thread: null }, {}])("passes %j", (fields) => {
    expect(() => refuseUnshareable(parse({ ...smallest, ...fields }))).not.toThrow();
  });
});
