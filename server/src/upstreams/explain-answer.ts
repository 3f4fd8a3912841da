import { isObject, parseJson } from "#src/lib/parse-json.ts";
import type { Upstream } from "./upstream.ts";

const MAX_PROBLEM_CHARACTERS = 300;

/** Returns the reason in an error of the upstream, without its credential, which an answer can repeat. */
export function explainAnswer(
  { credential }: Pick<Upstream, "credential">,
  status: number,
  body: Buffer,
): string {
  const message = findMessage(body);
  const shown = credential === null ? message : message.replaceAll(credential, "…");
  return `The upstream answered ${status}${shown === "" ? "." : `: ${shown}`}`.slice(
    0,
    MAX_PROBLEM_CHARACTERS,
  );
}

function findMessage(body: Buffer): string {
  const answer = parseJson(body);
  const error = isObject(answer) ? answer["error"] : null;
  const message = isObject(error) ? error["message"] : null;
  return typeof message === "string" ? message : "";
}
