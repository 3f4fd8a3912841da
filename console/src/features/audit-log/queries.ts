import { type ItemOf, useApi, useChange, usePages } from "../../queries.ts";

export type AuditEvent = ItemOf<"listAuditEvents">;

const EVERY_MS = 30_000;

export const useAuditEvents = (query: object) => usePages("listAuditEvents", query);
export const useAuditLogState = () => useApi("getAuditLogState", {}, { everyMs: EVERY_MS });
export const useSetAuditRetention = () =>
  useChange("setAuditRetention", ["getAuditLogState", "listAuditEvents"]);
