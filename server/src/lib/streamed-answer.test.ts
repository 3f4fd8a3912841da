import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { HeaderFields } from "./header-fields.ts";
import type { HttpCallController } from "./http-client.ts";
import { readAnswer, readWhole } from "./streamed-answer.ts";

const controller: HttpCallController = {
  pause: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};

test("a body that breaks before its reader begins rejects the reader, and throws nowhere else", async () => {
  const broken = new Error("other side closed");
  const answer = await readAnswer({ silenceMs: 60_000 }, (handler) => {
    handler.onRequestStart(controller);
    handler.onResponseStart(controller, 200, HeaderFields.fromList([]));
    handler.onResponseData(controller, Buffer.from("{"));
    handler.onResponseError(controller, broken);
  });
  // Node throws an error event without a listener in the next turn.
  await nextTurn();
  expect(answer.status).toBe(200);
  await expect(readWhole(answer, 1_000)).rejects.toBe(broken);
});
