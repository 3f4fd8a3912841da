import { formatPlural } from "../../ui/format.ts";
import { listNames } from "./sentences.ts";

/** Text of the date at the end of a model's name, such as `-20251001`. */
const DATED = /-20\d{6}$/;

/**
 * True if a list of names and prefixes allows the model. A name includes its dated forms, as on the server. The server
 * decides for each request, and this is for a preview.
 */
export function allowsModel(patterns: readonly string[], model: string): boolean {
  if (patterns.length === 0) return true;
  const name = model.replace(DATED, "");
  return patterns.some((pattern) =>
    pattern.endsWith("*")
      ? model.startsWith(pattern.slice(0, -1))
      : pattern.replace(DATED, "") === name,
  );
}

/** Requests of the last seven days, by model, that the list would have refused. Undefined rows: unknown. */
export function describeRefusedModels(
  rows: readonly { model: string | null; requests: number }[] | undefined,
  patterns: readonly string[],
): string[] {
  if (rows === undefined || patterns.length === 0) return [];
  const refused = rows.flatMap(({ model, requests }) =>
    model === null || allowsModel(patterns, model) ? [] : [{ model, requests }],
  );
  if (refused.length === 0)
    return ["No request of the last 7 days used a model that this list refuses."];
  const requests = refused.reduce((sum, each) => sum + each.requests, 0);
  const models = listNames(refused.map(({ model }) => model));
  return [
    `${formatPlural(requests, "request")} of the last 7 days used models that this list refuses: ${models}.`,
  ];
}
