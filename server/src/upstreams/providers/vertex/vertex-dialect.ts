import type { VertexSettings } from "@bursar/contract/admin/provider-settings.ts";
import { editBody, scanBody } from "#src/domain/edit-body.ts";
import { toVertexName } from "#src/domain/platform-models.ts";
import type { Dialect } from "../dialect.ts";
import { answerModels, findNamed } from "../model-names.ts";
import { readOfficialRequest } from "../official-request.ts";
import { checkFeatures, choosePassedBetas } from "../platform-features.ts";

const platform = { provider: "vertex", name: "Google Vertex AI" } as const;

/** The one version of the API that Vertex AI has. */
const API_VERSION = "vertex-2023-10-16";

export interface VertexDialectOptions {
  settings: VertexSettings;
  /** Path of the base URL without a trailing slash. */
  basePath: string;
  /** Loads the headers with the credentials. */
  authorize: () => Promise<readonly string[]>;
  /** Headers of the upstream's settings, a flat list. */
  extraHeaders: readonly string[];
}

/** Vertex AI: model and action in the path, version in the body, betas in a header, official streams. */
export function makeVertexDialect(options: VertexDialectOptions): Dialect {
  const { settings, basePath, authorize, extraHeaders } = options;
  const { project_id: project, region } = settings;
  const models = `${basePath}/v1/projects/${project}/locations/${region}/publishers/anthropic/models`;
  return {
    ...platform,
    translate(request) {
      const official = readOfficialRequest(request, platform);
      if (official.operation === "models") return answerModels(settings, official);
      const scanned = scanBody(request.body ?? Buffer.from("{}"), true);
      const removed = checkFeatures(platform, scanned);
      const model = findNamed(settings, scanned.model) ?? toVertexName(scanned.model);
      const isCount = official.operation === "count";
      removed.add("anthropic_version");
      if (!isCount) removed.add("model");
      const added = { anthropic_version: API_VERSION };
      const betas = choosePassedBetas("vertex", official.betas, settings.betas ?? []);
      const action = scanned.isStream ? "streamRawPredict" : "rawPredict";
      return {
        kind: "call",
        path: isCount
          ? `${models}/count-tokens:rawPredict`
          : `${models}/${encodeModel(model)}:${action}`,
        headers: [
          ...official.headers,
          ...(betas.length > 0 ? ["anthropic-beta", betas.join(",")] : []),
          ...extraHeaders,
        ],
        body: editBody(scanned, { removed, added, model }),
        authorize,
        translateAnswer: () => null,
      };
    },
  };
}

/** An `@` is part of the names of Vertex AI, and valid in a path. */
function encodeModel(model: string): string {
  return encodeURIComponent(model).replaceAll("%40", "@");
}
