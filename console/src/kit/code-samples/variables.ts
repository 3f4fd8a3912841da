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
