import { ApiError } from "#src/domain/api-error.ts";
import { UpstreamError } from "#src/http1/upstream-error.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpCallHandler, HttpClient, HttpRequest } from "#src/lib/http-client.ts";
import { releaseMemory } from "#src/lib/release-memory.ts";
import type { Dialect, ProviderCall } from "./dialect.ts";
import {
  answerLocally,
  TranslatingHandler,
  type WarnRefusedCredential,
} from "./translating-handler.ts";

export interface ProviderClientOptions extends ProviderWarnings {
  dialect: Dialect;
  /** Client of the platform's origin. */
  inner: HttpClient;
}

export interface ProviderWarnings {
  /** Called when the platform refuses the credential. */
  onRefusedCredential: WarnRefusedCredential;
  /** Called when the credentials of a request cannot be loaded. */
  onLoadFailure: (error: Error) => void;
}

/** Creates a client that takes official requests, and sends those of a platform. */
export function makeDialectClient(options: ProviderClientOptions): HttpClient {
  return new DialectClient(options);
}

class DialectClient implements HttpClient {
  readonly #options: ProviderClientOptions;
  /** Requests that wait for their credentials. */
  #waiting = 0;
  #state: "open" | "closing" | "destroyed" = "open";
  #whenSent: (() => void)[] = [];

  constructor(options: ProviderClientOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#state !== "open";
  }

  send(request: HttpRequest, handler: HttpCallHandler): void {
    if (this.#state !== "open") {
      handler.onResponseError(null, new UpstreamError("UND_ERR_CLOSED", "the client is closed"));
      return;
    }
    const call = this.#options.dialect.translate(request);
    if (call.kind === "answer") answerLocally(call, handler);
    else void this.#sendCall(request, call, handler);
  }

  async close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    if (this.#waiting > 0) await new Promise<void>((resolve) => this.#whenSent.push(resolve));
    await this.#options.inner.close();
  }

  destroy(): Promise<void> {
    this.#state = "destroyed";
    return this.#options.inner.destroy();
  }

  async #sendCall(
    request: HttpRequest,
    call: ProviderCall,
    handler: HttpCallHandler,
  ): Promise<void> {
    this.#waiting++;
    const authorized = await authorize(call, this.#options);
    try {
      if (authorized instanceof Error) handler.onResponseError(null, authorized);
      else this.#sendAuthorized(request, call, { headers: authorized, handler });
    } finally {
      this.#waiting--;
      if (this.#waiting === 0) for (const resolve of this.#whenSent.splice(0)) resolve();
    }
  }

  #sendAuthorized(
    request: HttpRequest,
    call: ProviderCall,
    { headers, handler }: { headers: FieldLines; handler: HttpCallHandler },
  ): void {
    const { dialect, inner, onRefusedCredential } = this.#options;
    const { method, headersTimeoutMs, body, ownsBody } = request;
    // The edited copy is sent, so the memory of the client's body is free.
    if (ownsBody === true && body !== null && body !== call.body) releaseMemory(body);
    try {
      inner.send(
        {
          method,
          path: call.path,
          headers,
          body: call.body,
          ownsBody: body !== call.body,
          headersTimeoutMs,
        },
        new TranslatingHandler({ call, name: dialect.name, handler, onRefusedCredential }),
      );
    } catch (error) {
      handler.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** Returns the headers of a call, or the refusal if its credentials cannot be loaded. */
async function authorize(
  call: ProviderCall,
  options: ProviderClientOptions,
): Promise<FieldLines | ApiError> {
  try {
    return FieldLines.fromList([...call.headers, ...(await call.authorize())]);
  } catch (error) {
    return makeLoadError(error, options.dialect.name, options);
  }
}

/** Makes the refusal of a request whose credentials cannot be loaded. `name`: of the platform. */
export function makeLoadError(
  error: unknown,
  name: string,
  { onLoadFailure }: Pick<ProviderWarnings, "onLoadFailure">,
): ApiError {
  // The reason can name files and addresses of this machine, so the log alone has it.
  onLoadFailure(error instanceof Error ? error : new Error(String(error)));
  return new ApiError(
    "upstream_unreachable",
    `The credentials for ${name} could not be loaded. The request was not sent. The reason is in the log of the server.`,
  );
}
