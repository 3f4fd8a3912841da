import type { Samples } from "./sample.ts";
import { nextName, renamed } from "./subjects.ts";

export const alertSamples = {
  createAlertChannel: {
    body: () => ({ name: nextName(), target: { kind: "email", recipients: { roles: ["owner"] } } }),
  },
  listAlertChannels: {},
  getAlertChannel: { isOrganizationWide: true },
  updateAlertChannel: renamed,
  deleteAlertChannel: {},
  rotateAlertChannelSecret: { body: () => ({ overlap_hours: 24 }) },
  testAlertChannel: {},
  listAlertDeliveries: {},
  redeliverAlert: {},

  createAlert: {
    body: ({ workspace_id }) => ({
      name: nextName(),
      scope: { type: "workspace", workspace_id },
      condition: { kind: "spend_limit" },
    }),
  },
  listAlerts: {},
  getAlert: {},
  updateAlert: renamed,
  deleteAlert: {},
  listAlertFirings: {},
  getAlertFiring: {},
  acknowledgeAlertFiring: { body: () => ({ note: nextName() }) },
  listAlertGroups: {},
  acknowledgeAlertFirings: {
    body: ({ alert_firing_id }) => ({ alert_firing_ids: [alert_firing_id], note: nextName() }),
  },
  previewAlert: {
    body: ({ workspace_id }) => ({
      scope: { type: "workspace", workspace_id },
      condition: { kind: "spend_limit" },
    }),
  },
} satisfies Samples;
