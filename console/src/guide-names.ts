// Every guide of docs/guides, in the groups and the order of the page Guides. The build fails for a name without a file.

export const guideGroups = [
  {
    title: "Use Claude",
    guides: [
      "connect",
      "openai-sdk",
      "browsers",
      "compatibility",
      "claude-code",
      "claude-code-sign-in",
      "managed-settings",
      "telemetry",
      "personal-keys",
      "api-keys",
      "idempotency",
      "errors",
      "cut-streams",
      "refused-requests",
      "batches",
      "files-and-skills",
      "simulator",
    ],
  },
  {
    title: "Spend and limits",
    guides: [
      "overview",
      "spend-limits",
      "people-limits",
      "rate-limits",
      "alerts",
      "alert-kinds",
      "alerts-forecast",
      "alert-channels",
      "reports",
      "tags",
      "statements",
      "ledger",
    ],
  },
  {
    title: "People and access",
    guides: [
      "signing-in",
      "people",
      "groups",
      "permissions",
      "directories",
      "scim",
      "access-reviews",
      "audit-log",
    ],
  },
  {
    title: "Operate Bursar",
    guides: [
      "configuration",
      "upstreams",
      "amazon-bedrock",
      "google-vertex-ai",
      "microsoft-foundry",
      "command-line",
      "commands",
      "container",
      "systemd",
      "nodes",
      "high-availability",
      "backup",
      "secret",
      "retention",
    ],
  },
] as const;

/** Name of a guide: its file in docs/guides without the ending, and its address below /guides. */
export type GuideName = (typeof guideGroups)[number]["guides"][number];
