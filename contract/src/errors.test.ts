import Anthropic from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import { claudeCodeForm, errorCodes } from "./errors.ts";

// The official SDK has error classes for pairs of status and code. A code of this server that the SDK knows with another
// meaning would get a class that misleads.

const causes = Object.entries(errorCodes);

/** True where the SDK has a class for the pair, besides the one of the status. */
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

test("recognizes an official pair, and only with its status", async () => {
  expect(await isOfficialPair(400, "already_member")).toBe(true);
  expect(await isOfficialPair(409, "already_member")).toBe(false);
});

test("the codes that the SDK has a class for are those marked as official", async () => {
  const official: string[] = [];
  for (const [code, { status }] of causes) {
    if (await isOfficialPair(status, code)) official.push(code);
  }
  const marked = causes.filter(([, cause]) => "isOfficial" in cause);
  expect(official).toEqual(marked.map(([code]) => code));
});

test("no code is official with the status that Claude Code gets", async () => {
  for (const [code] of causes) {
    expect([code, await isOfficialPair(claudeCodeForm.status, code)]).toEqual([code, false]);
  }
});

test("each meaning is one sentence", () => {
  for (const [code, { meaning }] of causes) {
    expect([code, meaning]).toEqual([code, expect.stringMatching(/^[A-Z][^.!?;]*(1\.1)?\.$/)]);
  }
});
