import Anthropic from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import { claudeCodeForm, errorCodes } from "./errors.ts";

// The official SDK has error classes for pairs of status and code. A code that the SDK knows with
// another meaning would get a misleading class.

const causes = Object.entries(errorCodes);

/** Whether the SDK has a class for the pair, besides the class of the status. */
async function isOfficialPair(status: number, code: string): Promise<boolean> {
  return (await findErrorClass(status, code)) !== (await findErrorClass(status, "unknown_code"));
}

async function findErrorClass(status: number, code: string): Promise<unknown> {
  const body = { type: "error", error: { details: { error_code: code } } };
  const client = new Anthropic({
    apiKey: "key",
    maxRetries: 0,
    fetch: () => Promise.resolve(Response.json(body, { status })),
  });
  const error: unknown = await client.models.retrieve("model").catch((thrown: unknown) => thrown);
  return (error as Error).constructor;
}

test("recognizes an official pair by its status and code", async () => {
  expect(await isOfficialPair(400, "already_member")).toBe(true);
  expect(await isOfficialPair(409, "already_member")).toBe(false);
});

test("marks exactly the codes with a class in the SDK as official", async () => {
  const official: string[] = [];
  for (const [code, { status }] of causes) {
    if (await isOfficialPair(status, code)) official.push(code);
  }
  const marked = causes.filter(([, cause]) => "isOfficial" in cause);
  expect(official).toEqual(marked.map(([code]) => code));
});

test("has no official code with the status for Claude Code", async () => {
  for (const [code] of causes) {
    expect([code, await isOfficialPair(claudeCodeForm.status, code)]).toEqual([code, false]);
  }
});

test("describes each code in one sentence", () => {
  for (const [code, { meaning }] of causes) {
    expect([code, meaning]).toEqual([code, expect.stringMatching(/^[A-Z][^.!?;]*(1\.1)?\.$/)]);
  }
});
