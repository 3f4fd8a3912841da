import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";

const EVERY_MS = 30_000;

/** Counts of the organization. `everyMs`: refresh interval. */
export const useOrganizationCounts = ({ everyMs = EVERY_MS } = {}) =>
  useApi("getOrganizationCounts", {}, { isEnabled: useMay()("organization:read"), everyMs });
