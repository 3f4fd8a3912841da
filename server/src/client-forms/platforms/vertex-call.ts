import { toOfficialName } from "#src/domain/platform-models.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { decodePercent } from "#src/lib/decode-percent.ts";
import { AdaptedCall } from "../adapted-call.ts";
import { toOfficialBody } from "./platform-body.ts";

const PATH =
  /^\/vertex\/v1\/projects\/[^/]+\/locations\/[^/]+\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/;
const COUNT = "count-tokens";

/** Converts a request of Vertex AI. Null: the path is not one of it. */
export function makeVertexCall(call: ClientCall, path: string): ClientCall | null {
  const parts = PATH.exec(path);
  if (parts === null) return null;
  const [, encoded = "", action] = parts;
  const model = decodePercent(encoded);
  if (model === null) return null;
  if (model === COUNT) return new VertexCall(call, { model: null, isStream: null });
  const isStream = action === "streamRawPredict";
  return new VertexCall(call, { model: toOfficialName(model), isStream });
}

/** The answers of Vertex AI are official, errors included. */
class VertexCall extends AdaptedCall {
  readonly #asked: { model: string | null; isStream: boolean | null };

  constructor(inner: ClientCall, asked: { model: string | null; isStream: boolean | null }) {
    const target = asked.isStream === null ? "/v1/messages/count_tokens" : "/v1/messages";
    super(inner, { method: "POST", target, fields: inner.fields });
    this.#asked = asked;
  }

  adaptBody(bytes: Buffer): Buffer {
    const { body, fields } = toOfficialBody({ body: bytes, fields: this.fields, ...this.#asked });
    this.fields = fields;
    return body;
  }
}
