// Names of models on platforms. Sources: the model tables of the platforms' pages under
// https://platform.claude.com/docs/en/build-with-claude (October 2026). Settings of an upstream have priority.

/** Dates of releases whose names on the platforms have one, by the name without a date. */
const dates: Readonly<Record<string, string>> = {
  "claude-opus-4-5": "20251101",
  "claude-sonnet-4-5": "20250929",
  "claude-haiku-4-5": "20251001",
  "claude-opus-4-1": "20250805",
  "claude-opus-4": "20250514",
  "claude-sonnet-4": "20250514",
  "claude-3-7-sonnet": "20250219",
  "claude-3-5-sonnet": "20241022",
  "claude-3-5-haiku": "20241022",
  "claude-3-opus": "20240229",
  "claude-3-haiku": "20240307",
};

/** Names on Bedrock that the rule does not give, by name and date. */
const bedrockNames: Readonly<Record<string, string>> = {
  "claude-opus-4-6": "anthropic.claude-opus-4-6-v1",
  "claude-3-5-sonnet-20241022": "anthropic.claude-3-5-sonnet-20241022-v2:0",
};

const DATED = /^(.+)-(20\d{6})$/;

/** Removes `-latest`, `-0` and the date of an official name. */
export function toUndated(model: string): string {
  const bare = model.replace(/-latest$/, "");
  return (DATED.exec(bare)?.[1] ?? bare).replace(/-0$/, "");
}

/** Returns name and date of a release. Newer models have no date. */
function toRelease(model: string): { name: string; date: string | null } {
  const name = toUndated(model);
  return { name, date: DATED.exec(model)?.[2] ?? dates[name] ?? null };
}

/** Returns Bedrock's name without a profile, such as `anthropic.claude-opus-5-5`. */
export function toBedrockName(model: string): string {
  const { name, date } = toRelease(model);
  const release = date === null ? name : `${name}-${date}`;
  return (
    bedrockNames[release] ?? (date === null ? `anthropic.${release}` : `anthropic.${release}-v1:0`)
  );
}

/** Returns the name in Bedrock's Messages API, which has no dates: `anthropic.claude-haiku-4-5`. */
export function toMantleName(model: string): string {
  return `anthropic.${toUndated(toOfficialName(model))}`;
}

/** Returns Vertex AI's name, such as `claude-sonnet-4-5@20250929`. */
export function toVertexName(model: string): string {
  const { name, date } = toRelease(model);
  if (date === null) return name;
  const isSecond = name === "claude-3-5-sonnet" && date === "20241022";
  return `${name}${isSecond ? "-v2" : ""}@${date}`;
}

/**
 * Returns the official name of a platform's one: `us.anthropic.claude-sonnet-4-5-20250929-v1:0` is
 * `claude-sonnet-4-5-20250929`. Other names stay.
 */
export function toOfficialName(model: string): string {
  const start = model.indexOf("anthropic.claude-");
  if (start !== -1) {
    return model.slice(start + "anthropic.".length).replace(/-v\d+(:\d+)?(:\d+k)?$/, "");
  }
  return model.replace(/(-v\d)?@(\d{8})$/, "-$2").replace(/@(default|latest)$/, "");
}
