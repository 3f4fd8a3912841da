import type { Samples } from "./sample.ts";
import {
  newDirectory,
  newManagedSettings,
  newTelemetryReceiver,
  nextName,
  renamed,
} from "./subjects.ts";

export const systemSamples = {
  listDirectories: {},
  createDirectory: { body: newDirectory },
  getDirectory: {},
  updateDirectory: renamed,
  previewDirectoryChange: { body: () => ({}) },
  deleteDirectory: {},
  testDirectory: {},
  listScimTokens: {},
  createScimToken: {},
  rotateScimToken: { body: () => ({}), audits: ["scim_token.created"] },
  revokeScimToken: {},

  getManagedSettings: {},
  setManagedSettings: { body: newManagedSettings },
  checkManagedSettings: { body: newManagedSettings },
  getEffectiveManagedSettings: { query: ({ member_id }) => `member_id=${member_id}` },
  listManagedSettingsVersions: {},
  getManagedSettingsVersion: {},
  restoreManagedSettings: { body: () => ({}) },

  createTelemetryReceiver: { body: newTelemetryReceiver },
  listTelemetryReceivers: {},
  getTelemetryReceiver: {},
  updateTelemetryReceiver: renamed,
  deleteTelemetryReceiver: {},
  testTelemetryReceiver: {},

  listUpstreams: {},
  createUpstream: {
    body: () => ({ name: nextName(), base_url: "https://api.anthropic.com" }),
  },
  getUpstream: {},
  updateUpstream: renamed,
  deleteUpstream: {},
  testUpstream: {},
  getStoredUpstreamHealth: {},
  getUpstreamOrder: {},
  setUpstreamOrder: { needs: ["upstream_id"], body: () => ({ upstream_ids: [] }) },
  getWorkspaceUpstreamOrder: {},
  setWorkspaceUpstreamOrder: {
    needs: ["upstream_id"],
    body: ({ upstream_id }) => ({ upstream_ids: [upstream_id] }),
  },

  listStoredBatches: {},
  getStoredBatch: { hasForeignUsage: true },
  cancelStoredBatch: {},
  abandonStoredBatch: { body: () => ({ reason: "The upstream is gone.", force: true }) },
  listStoredObjects: {},
  deleteStoredObject: {},

  listAuditEvents: {},
  exportAuditEvents: { query: "format=csv" },
  getAuditEvent: {},
  getAuditLogState: {},
  verifyAuditLog: {},
  setAuditRetention: { body: () => ({ retention_days: 365 }) },

  getBadges: {},
  getOrganizationCounts: {},
  getUpstreamHealth: {},

  getSystem: {},
  getServerAddress: {},
  listNodes: {},
  // A call of another organization releases nothing of this one: see forget-node.test.ts.
  forgetNode: { body: () => ({ reason: "The machine is gone." }), isInstallationWide: true },
} satisfies Samples;
