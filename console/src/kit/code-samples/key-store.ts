// Commands that store a key in the system's store, and settings with which Claude Code reads it from there.

/** Systems with a store that one command reads. */
export const keyStores = {
  macOS: {
    store: 'security add-generic-password -U -s bursar -a "$USER" -w',
    read: 'security find-generic-password -s bursar -a "$USER" -w',
  },
  Linux: {
    store: "secret-tool store --label='Bursar key' service bursar",
    read: "secret-tool lookup service bursar",
  },
} as const;
export type KeyStore = keyof typeof keyStores;

/** Content of `~/.claude/settings.json`. */
export function writeSettings(store: KeyStore, baseUrl: string): string {
  const settings = {
    apiKeyHelper: keyStores[store].read,
    env: { ANTHROPIC_BASE_URL: baseUrl },
  };
  return JSON.stringify(settings, null, 2);
}
