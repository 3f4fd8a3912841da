import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { editBody, scanBody } from "#src/domain/edit-body.ts";
import type { Dialect } from "./dialect.ts";
import { answerModels } from "./model-names.ts";
import { readOfficialRequest } from "./official-request.ts";
import { checkFeatures, choosePassedBetas } from "./platform-features.ts";

/** Loads the headers with the credentials of a call. */
export type Authorize = (call: {
  method: string;
  path: string;
  headers: readonly string[];
  body: Buffer;
}) => Promise<readonly string[]>;

export interface MessagesDialectOptions {
  name: string;
  settings: ProviderSettings;
  /** Path of the base URL without a trailing slash. */
  basePath: string;
  authorize: Authorize;
  /** Returns the platform's name of a model. */
  toModelName: (model: string) => string;
  /** Headers of the upstream's settings, a flat list. */
  extraHeaders: readonly string[];
}

/** Platforms that serve the Messages API in its official form under `/anthropic`, with names and credentials of their own. */
export function makeMessagesDialect(options: MessagesDialectOptions): Dialect {
  const { name, settings, basePath, authorize, toModelName, extraHeaders } = options;
  const platform = { provider: settings.provider, name };
  return {
    ...platform,
    translate(request) {
      const official = readOfficialRequest(request, platform);
      if (official.operation === "models") return answerModels(settings, official);
      const scanned = scanBody(request.body ?? Buffer.from("{}"), true);
      const removed = checkFeatures(platform, scanned);
      const model = toModelName(scanned.model);
      const isSame = removed.size === 0 && model === scanned.model;
      const body = isSame ? scanned.body : editBody(scanned, { removed, added: {}, model });
      const betas = choosePassedBetas(settings.provider, official.betas, settings.betas ?? []);
      const headers = [
        ...official.headers,
        "anthropic-version",
        official.version,
        ...(betas.length > 0 ? ["anthropic-beta", betas.join(",")] : []),
        ...extraHeaders,
      ];
      const action = official.operation === "count" ? "messages/count_tokens" : "messages";
      const path = `${basePath}/anthropic/v1/${action}`;
      return {
        kind: "call",
        path,
        headers,
        body,
        authorize: () => authorize({ method: request.method, path, headers, body }),
        translateAnswer: () => null,
      };
    },
  };
}
