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
