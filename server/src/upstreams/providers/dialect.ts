import type { Provider } from "@bursar/contract/admin/provider-settings.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpRequest } from "#src/lib/http-client.ts";

/** Form in which a cloud platform serves the Claude API. */
export interface Dialect {
  readonly provider: Provider;
  /** Name of the platform for messages. */
  readonly name: string;
  /** Translates an official request. Throws `ApiError("provider_unsupported")` for what the platform lacks. */
  translate(request: HttpRequest): ProviderCall | LocalAnswer;
}

/** Answer without a request to the platform. */
export interface LocalAnswer {
  kind: "answer";
  body: unknown;
}

/** Request to the platform. */
export interface ProviderCall {
  kind: "call";
  path: string;
  /** Flat list of names in lower case and values, without credentials. */
  headers: readonly string[];
  body: Buffer;
  /** Returns more headers, with the credentials. Rejects if they cannot be loaded. */
  authorize(): Promise<readonly string[]>;
  /** Returns a translator of a successful answer. Null: the bytes are official. */
  translateAnswer(fields: HeaderFields): AnswerTranslator | null;
}

/** Translates the body of one answer. Throws an Error for a body that breaks the platform's form. */
export interface AnswerTranslator {
  /** Content type of the official body. */
  readonly contentType: string;
  push(chunk: Buffer): Buffer;
  end(): Buffer;
}

export const EVENT_STREAM_TYPE = "text/event-stream; charset=utf-8";
export const JSON_TYPE = "application/json";
