import { UpstreamError } from "#src/http1/upstream-error.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpCallHandler, StreamedClient, StreamedRequest } from "#src/lib/http-client.ts";
import { readOfficialHeaders } from "../official-request.ts";
import { makeLoadError, type ProviderWarnings } from "../provider-client.ts";
import { TranslatingHandler } from "../translating-handler.ts";

export interface FoundryObjectsOptions {
  /** Client of the resource. */
  inner: StreamedClient;
  /** Path of the base URL without a trailing slash. */
  basePath: string;
  /** Loads the headers with the credentials. */
  authorize: () => Promise<readonly string[]>;
  /** Headers of the upstream's settings, a flat list. */
  extraHeaders: readonly string[];
  warnings: ProviderWarnings;
}

const NAME = "Microsoft Foundry";
const official = { translateAnswer: () => null };

/** Creates the client for files and skills of Foundry, whose paths start with `/anthropic`. */
export function makeFoundryObjects(options: FoundryObjectsOptions): StreamedClient {
  return new FoundryObjects(options);
}

class FoundryObjects implements StreamedClient {
  readonly #options: FoundryObjectsOptions;
  /** Requests that wait for their credentials. */
  readonly #waiting = new Set<Promise<void>>();
  #state: "open" | "closing" | "destroyed" = "open";

  constructor(options: FoundryObjectsOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#state !== "open";
  }

  send(request: StreamedRequest, handler: HttpCallHandler): void {
    if (this.#state !== "open") {
      handler.onResponseError(null, new UpstreamError("UND_ERR_CLOSED", "the client is closed"));
      return;
    }
    const sending = this.#send(request, handler).finally(() => this.#waiting.delete(sending));
    this.#waiting.add(sending);
  }

  async close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    await Promise.all(this.#waiting);
    await this.#options.inner.close();
  }

  destroy(): Promise<void> {
    this.#state = "destroyed";
    return this.#options.inner.destroy();
  }

  async #send(request: StreamedRequest, handler: HttpCallHandler): Promise<void> {
    const { inner, basePath, authorize, extraHeaders, warnings } = this.#options;
    try {
      const credentials = await authorize().catch((error: unknown) => {
        throw makeLoadError(error, NAME, warnings);
      });
      const { headers, version, betas } = readOfficialHeaders(request.headers);
      const sent = FieldLines.fromList([
        ...headers,
        ...["anthropic-version", version],
        ...(betas.length > 0 ? ["anthropic-beta", betas.join(",")] : []),
        ...extraHeaders,
        ...credentials,
      ]);
      const { onRefusedCredential } = warnings;
      inner.send(
        { ...request, path: `${basePath}/anthropic${request.path}`, headers: sent },
        new TranslatingHandler({ call: official, name: NAME, handler, onRefusedCredential }),
      );
    } catch (error) {
      handler.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }
}
