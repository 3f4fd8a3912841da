/** Origins whose pages can use a key, after a change. Null: none. Omitted: as before. Each origin is listed once. */
export function decideOrigins(
  before: { allowed_origins: string[] | null } | null,
  change: { allowed_origins?: string[] | null | undefined },
): string[] | null {
  const { allowed_origins: origins } = change;
  if (origins === undefined) return before?.allowed_origins ?? null;
  return origins && [...new Set(origins)];
}
