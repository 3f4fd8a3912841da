import type { Answer } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type ManagedSettings = Answer<"getManagedSettings">;
export type SettingsCheck = Answer<"checkManagedSettings">;
export type SettingsVersion = ItemOf<"listManagedSettingsVersions">;
export type EffectiveSettings = NonNullable<SettingsCheck["effective"]>;

const stale = ["getManagedSettings", "listManagedSettingsVersions"] as const;

export const useManagedSettings = () => useApi("getManagedSettings", {});
export const useSettingsVersions = () => useList("listManagedSettingsVersions", {});
export const useGroupNames = () => useList("listGroups", {}, { isPreviousShown: true });
export const useSetManagedSettings = () => useChange("setManagedSettings", stale);
export const useRestoreManagedSettings = () => useChange("restoreManagedSettings", stale);
/** Changes nothing. */
export const useCheckManagedSettings = () => useChange("checkManagedSettings", []);
