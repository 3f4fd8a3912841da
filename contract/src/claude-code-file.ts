// The machine file of Claude Code: `managed-settings.json` in a folder that only administrators of the machine can change.
// https://code.claude.com/docs/en/settings

/** Path of the machine file on each system. */
export const machineFiles = {
  Linux: "/etc/claude-code/managed-settings.json",
  macOS: "/Library/Application Support/ClaudeCode/managed-settings.json",
  Windows: "C:\\Program Files\\ClaudeCode\\managed-settings.json",
} as const;
export type MachineSystem = keyof typeof machineFiles;

/** Settings with which Claude Code signs in to the server at this origin, and uses no other credential. */
export function makeLoginSettings(origin: string) {
  return { forceLoginMethod: "gateway", forceLoginGatewayUrl: origin } as const;
}

/** Text of a machine file. */
export function writeMachineFile(settings: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}
