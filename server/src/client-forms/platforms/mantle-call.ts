import { editBody } from "#src/domain/edit-body.ts";
import { toOfficialName } from "#src/domain/platform-models.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { AdaptedCall } from "../adapted-call.ts";
import { scanPlatformBody } from "./platform-body.ts";

const PATH = /^\/bedrock\/anthropic(\/v1\/messages(?:\/count_tokens)?)$/;
const UNCHANGED = { removed: new Set<string>(), added: {} };

/** Converts a request of Bedrock's Messages API. Null: the path is not one of it. */
export function makeMantleCall(call: ClientCall, path: string): ClientCall | null {
  const [, target] = PATH.exec(path) ?? [];
  return target === undefined ? null : new MantleCall(call, target);
}

/** The body is official, except for the name of the model. Answers and errors are official. */
class MantleCall extends AdaptedCall {
  constructor(inner: ClientCall, target: string) {
    super(inner, { method: "POST", target, fields: inner.fields });
  }

  adaptBody(bytes: Buffer): Buffer {
    const scanned = scanPlatformBody(bytes);
    if (scanned === null) return bytes;
    const model = toOfficialName(scanned.model);
    return model === scanned.model ? bytes : editBody(scanned, { ...UNCHANGED, model });
  }
}
