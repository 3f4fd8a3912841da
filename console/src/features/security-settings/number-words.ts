import { formatPlural } from "../../ui/format.ts";
import type { NumberWords } from "./number-setting.tsx";

export const keyLifetime: NumberWords = {
  field: "max_key_lifetime_days",
  title: "Maximum key lifetime",
  lead: "Applies to API keys and admin keys when they are created, rotated or changed. Existing keys keep their expiry.",
  label: "Days",
  hint: "1 to 3650. Empty: no limit.",
  placeholder: "No limit",
  action: "Save maximum lifetime",
  describe: (days) =>
    days === null
      ? "Key lifetime is unlimited"
      : `Maximum lifetime of new keys: ${formatPlural(days, "day")}`,
};

export const keysPerMember: NumberWords = {
  field: "max_keys_per_member",
  title: "Keys per member",
  lead: "Applies to new personal keys. Revoked and expired keys do not count.",
  label: "Keys",
  hint: "1 to 10000. Empty: no limit.",
  placeholder: "No limit",
  action: "Save keys per member",
  describe: (keys) =>
    keys === null ? "Personal keys are unlimited" : `Personal keys of each member: ${keys} at most`,
};

export const sessionLength: NumberWords = {
  field: "session_hours",
  title: "Session length",
  lead: "A session ends after this time, also while it is used. Applies to open sessions at once.",
  label: "Session hours",
  hint: "1 to 720. Empty: 30 days.",
  placeholder: "30 days",
  action: "Save session length",
  describe: (hours) =>
    `Sessions end after ${hours === null ? "30 days" : formatPlural(hours, "hour")}`,
};

export const idleTime: NumberWords = {
  field: "session_idle_hours",
  title: "Idle time",
  lead: "A session ends after this time without use. Applies to open sessions at once.",
  label: "Idle hours",
  hint: "1 to 168. Empty: 7 days.",
  placeholder: "7 days",
  action: "Save idle time",
  describe: (hours) =>
    `Idle sessions end after ${hours === null ? "7 days" : formatPlural(hours, "hour")}`,
};
