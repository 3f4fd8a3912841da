import { isRecord } from "./effective-settings.rule.ts";

// Types of the keys that managed settings often have, from the published reference of Claude Code's settings:
// https://code.claude.com/docs/en/settings-reference. Other keys are accepted, because clients get new ones.

export interface SettingsFault {
  path: string;
  /** A sentence for people. */
  message: string;
}

type Check = (value: unknown, path: string) => SettingsFault[];

function expect(isValid: (value: unknown) => boolean, expected: string): Check {
  return (value, path) => (isValid(value) ? [] : [{ path, message: `Expected ${expected}.` }]);
}

const flag = expect((value) => typeof value === "boolean", "true or false");
const text = expect((value) => typeof value === "string" && value !== "", "text");
const record = expect(isRecord, "an object");
const list = expect(Array.isArray, "a list");
const positive = expect((value) => typeof value === "number" && value > 0, "a number above 0");
const days = expect(
  (value) => Number.isInteger(value) && Number(value) >= 1,
  "a whole number of days, at least 1",
);
const port = expect(
  (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
  "a port from 1 to 65535",
);

function oneOf(...values: string[]): Check {
  return expect(
    (value) => typeof value === "string" && values.includes(value),
    `one of ${values.map((value) => `"${value}"`).join(", ")}`,
  );
}

function listOf(check: Check): Check {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((entry, index) => check(entry, `${path}.${index}`))
      : list(value, path);
}

function recordOf(check: Check): Check {
  return (value, path) =>
    isRecord(value)
      ? Object.entries(value).flatMap(([name, each]) => check(each, `${path}.${name}`))
      : record(value, path);
}

/** Checks the named fields of an object. Others are accepted. */
function fields(checks: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (value, path) => {
    if (!isRecord(value)) return record(value, path);
    const missing = required.filter((name) => !Object.hasOwn(value, name));
    return [
      ...missing.map((name) => ({ path: `${path}.${name}`, message: "This field is required." })),
      ...Object.entries(value).flatMap(([name, each]) =>
        Object.hasOwn(checks, name) ? (checks[name]?.(each, `${path}.${name}`) ?? []) : [],
      ),
    ];
  };
}

const texts = listOf(text);

/** `Tool` or `Tool(pattern)`. */
const rule = expect(
  (value) => typeof value === "string" && /^[^\s()]+(\(.+\))?$/su.test(value),
  'a rule such as "Read(./.env)" or "WebFetch"',
);

/** Fields that each type of hook needs. */
const hookFields: Readonly<Record<string, string[]>> = {
  command: ["command"],
  prompt: ["prompt"],
  agent: ["prompt"],
  http: ["url"],
  mcp_tool: ["server", "tool"],
};

const hook: Check = (value, path) => {
  const type = isRecord(value) && typeof value["type"] === "string" ? value["type"] : "";
  const needed = Object.hasOwn(hookFields, type) ? (hookFields[type] ?? []) : [];
  const checks = Object.fromEntries(["type", ...needed].map((name) => [name, text]));
  return fields({ ...checks, timeout: positive, args: texts }, ["type", ...needed])(value, path);
};

const hooks = recordOf(listOf(fields({ matcher: anyText, hooks: listOf(hook) }, ["hooks"])));

function anyText(value: unknown, path: string): SettingsFault[] {
  return typeof value === "string" ? [] : [{ path, message: "Expected text." }];
}

const permissions = fields({
  allow: listOf(rule),
  ask: listOf(rule),
  deny: listOf(rule),
  additionalDirectories: texts,
  defaultMode: text,
  disableBypassPermissionsMode: oneOf("disable"),
  disableAutoMode: oneOf("disable"),
});

const sandbox = fields({
  enabled: flag,
  failIfUnavailable: flag,
  autoAllowBashIfSandboxed: flag,
  allowUnsandboxedCommands: flag,
  excludedCommands: texts,
  network: fields({
    allowedDomains: texts,
    deniedDomains: texts,
    allowUnixSockets: texts,
    allowLocalBinding: flag,
    allowManagedDomainsOnly: flag,
    httpProxyPort: port,
    socksProxyPort: port,
  }),
  filesystem: fields({ allowWrite: texts, denyWrite: texts, allowRead: texts, denyRead: texts }),
});

const knownSettings: Readonly<Record<string, Check>> = {
  ...ofType(
    flag,
    `allowManagedHooksOnly allowManagedMcpServersOnly allowManagedPermissionRulesOnly alwaysThinkingEnabled
    autoMemoryEnabled channelsEnabled disableAllHooks disableArtifacts disableWorkflows enableAllProjectMcpServers
    enforceAvailableModels fastMode fastModePerSessionOptIn feedbackSurveyEnabled includeCoAuthoredBy includeGitInstructions
    prefersReducedMotion respectGitignore showThinkingSummaries skipDangerousModePermissionPrompt skipWebFetchPreflight
    spinnerTipsEnabled terminalProgressBarEnabled wslInheritsWindowsSettings`,
  ),
  ...ofType(
    text,
    `$schema advisorModel agent attributionProject autoMemoryDirectory autoUpdatesChannel defaultShell effortLevel language
    minimumVersion model otelHeadersHelper outputStyle plansDirectory policyHelper`,
  ),
  ...ofType(
    texts,
    `allowedHttpHookUrls availableModels claudeMdExcludes companyAnnouncements deniedModels disabledMcpjsonServers
    enabledMcpjsonServers httpHookAllowedEnvVars`,
  ),
  ...ofType(
    list,
    `allowedChannelPlugins allowedMcpServers blockedMarketplaces deniedMcpServers strictKnownMarketplaces`,
  ),
  ...ofType(
    record,
    `attribution autoMode enabledPlugins extraKnownMarketplaces fileSuggestion managedMcpServers pluginConfigs
    pluginTrustMessage skillOverrides spinnerTipsOverride spinnerVerbs statusLine worktree`,
  ),
  availableModelsMatch: oneOf("prefix", "exact"),
  cleanupPeriodDays: days,
  env: recordOf(anyText),
  hooks,
  modelOverrides: recordOf(text),
  modelPricing: fields({ multiplier: positive, overrides: record }),
  permissions,
  sandbox,
};

function ofType(check: Check, names: string): Record<string, Check> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, check]));
}

/** Keys that have no effect in settings that a server sends, each with the remedy. */
const refusedSettings: Readonly<Record<string, string>> = {
  mcpServers:
    "Clients ignore this key in managed settings. Use managedMcpServers for servers, or allowedMcpServers for a list.",
  forceLoginMethod:
    "Clients read this key from the machine only. Write it to the machine's managed-settings.json.",
  forceLoginGatewayUrl:
    "Clients read this key from the machine only. Write it to the machine's managed-settings.json.",
};

/** Credentials that a signed-in client ignores. */
const idleSettings = ["apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "gcpAuthRefresh"];

/** Kinds of keys that clients ask their user about before they apply them. */
const riskySettings = ["env", "hooks", "statusLine", "otelHeadersHelper", "policyHelper"];

export type SettingsWarningCode = "unknown_key" | "no_effect" | "needs_approval";

export interface SettingsWarning extends SettingsFault {
  code: SettingsWarningCode;
}

export interface CheckedSettings {
  faults: SettingsFault[];
  warnings: SettingsWarning[];
}

const MAX_DEPTH = 20;

/** Checks the keys of one policy. `path` is the name of the settings on the wire. */
export function checkSettings(settings: unknown, path: string): CheckedSettings {
  if (!isRecord(settings)) return { faults: record(settings, path), warnings: [] };
  const checked: CheckedSettings = { faults: [], warnings: [] };
  for (const [key, value] of Object.entries(settings)) {
    const at = `${path}.${key}`;
    const refusal = Object.hasOwn(refusedSettings, key) ? refusedSettings[key] : undefined;
    if (refusal !== undefined) checked.faults.push({ path: at, message: refusal });
    else if (isTooDeep(value, MAX_DEPTH)) {
      checked.faults.push({ path: at, message: `Expected at most ${MAX_DEPTH} levels.` });
    } else {
      checked.faults.push(...checkKey(key, value, at));
      checked.warnings.push(...warnOfKey(key, at));
    }
  }
  return checked;
}

function checkKey(key: string, value: unknown, path: string): SettingsFault[] {
  return Object.hasOwn(knownSettings, key) ? (knownSettings[key]?.(value, path) ?? []) : [];
}

function warnOfKey(key: string, path: string): SettingsWarning[] {
  if (idleSettings.includes(key)) {
    const message = "Signed-in clients ignore this key. The sign-in is their only credential.";
    return [{ path, code: "no_effect", message }];
  }
  if (!Object.hasOwn(knownSettings, key)) {
    const similar = Object.keys(knownSettings).find(
      (known) => known.toLowerCase() === key.toLowerCase(),
    );
    const message = similar
      ? `This server does not know the key. A similar one is ${similar}.`
      : "This server does not know the key. Clients ignore keys that they do not know.";
    return [{ path, code: "unknown_key", message }];
  }
  if (!riskySettings.includes(key)) return [];
  const message = "Interactive clients ask their user once before they apply this key.";
  return [{ path, code: "needs_approval", message }];
}

function isTooDeep(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isTooDeep(each, levels - 1));
}
