import { readFile } from "node:fs/promises";
import { verifyAccessReviewEvidence } from "@bursar/contract/admin/access-review-evidence.ts";
import type { Command } from "commander";
import type { z } from "zod";
import { CommandError, exitCodes, makeRefusal } from "./command-error.ts";
import { print } from "./print.ts";

/** Calls the server on this machine and returns its response, whatever the status. Throws without a response. */
type SendLocally = (
  method: "POST",
  target: string,
  body: string,
) => Promise<{ status: number; text: string }>;

type Verification = z.output<(typeof verifyAccessReviewEvidence)["response"]>;

/** `reviews verify`. */
export function addReviewCommands(program: Command, send: SendLocally): void {
  const reviews = program.command("reviews").description("access reviews");
  reviews
    .command("verify")
    .argument("<file>", "unchanged evidence file of an access review")
    .description("verify that the evidence was not changed; exits with 1 otherwise")
    .addHelpText("after", "\nExamples:\n  bursar reviews verify evidence.json")
    .action(async (path: string) => {
      const result = await verify(send, await readEvidence(path));
      print(program.opts(), result, () => describe(result));
      if (!result.is_genuine) process.exitCode = exitCodes.error;
    });
}

async function readEvidence(path: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot read ${path}: ${reason}`, exitCodes.usage);
  }
}

/** Sends the file unchanged, because parsing it first could hide a manipulation. */
async function verify(send: SendLocally, text: string): Promise<Verification> {
  const { method, path } = verifyAccessReviewEvidence;
  const answer = await send(method, path, text);
  if (answer.status === 200) return JSON.parse(answer.text) as Verification;
  const refused = makeRefusal(answer.status, answer.text);
  if (answer.status !== 400) throw refused;
  // A refused file is not genuine evidence.
  return {
    type: "access_review_verification",
    is_genuine: false,
    reason: refused.message,
    signed_by: null,
  };
}

function describe({ is_genuine, reason, signed_by }: Verification): string {
  return is_genuine
    ? `The evidence is genuine: signed by this organization's key ${signed_by} and not changed.`
    : `THE EVIDENCE IS NOT GENUINE. ${reason}`;
}
