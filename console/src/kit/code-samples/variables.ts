// Environment variables of the clients, as lines of a shell.

export const KEY_VARIABLE = "ANTHROPIC_API_KEY";
export const URL_VARIABLE = "ANTHROPIC_BASE_URL";
/** Claude Code starts at once with this one. With the key variable it asks first, and its first start needs api.anthropic.com. */
export const TOKEN_VARIABLE = "ANTHROPIC_AUTH_TOKEN";

/** Variables of the official SDKs: the address and the key. */
export function toVariables(baseUrl: string, secret: string): string {
  return toExports([
    [URL_VARIABLE, baseUrl],
    [KEY_VARIABLE, secret],
  ]);
}

/** Address and key of another API, which this server serves below a path. */
interface ApiVariables {
  /** Variable of the key. */
  key: string;
  addressOf: (baseUrl: string) => string;
  /** Variables of the SDKs. */
  toVariables: (baseUrl: string, secret: string) => string;
}

/** The SDKs of OpenAI. */
export const OPENAI = describeApi("OPENAI_API_KEY", "/v1", (address) => [
  ["OPENAI_BASE_URL", address],
]);

/** SDKs and Claude Code in Bedrock mode. Any region is accepted. */
export const BEDROCK = describeApi("AWS_BEARER_TOKEN_BEDROCK", "/bedrock", (address) => [
  ["ANTHROPIC_BEDROCK_BASE_URL", address],
  ["AWS_REGION", "us-east-1"],
]);

/** SDKs and Claude Code in Vertex mode. Any project and region is accepted. */
export const VERTEX = describeApi(TOKEN_VARIABLE, "/vertex/v1", (address) => [
  ["ANTHROPIC_VERTEX_BASE_URL", address],
  ["ANTHROPIC_VERTEX_PROJECT_ID", "any"],
  ["CLOUD_ML_REGION", "global"],
]);

function describeApi(
  key: string,
  path: string,
  list: (address: string) => (readonly [name: string, value: string])[],
): ApiVariables {
  const addressOf = (baseUrl: string) => `${baseUrl}${path}`;
  return {
    key,
    addressOf,
    toVariables: (baseUrl, secret) => toExports([...list(addressOf(baseUrl)), [key, secret]]),
  };
}

/** Shell lines that each set one variable. */
export function toExports(variables: readonly (readonly [name: string, value: string])[]): string {
  return variables.map(([name, value]) => `export ${name}=${quoteWhereNeeded(value)}`).join("\n");
}

export function quoteWhereNeeded(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : quoteForShell(text);
}

/** In single quotes, a shell treats only the quote itself as special. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
