import { formatPlural } from "../../ui/format.ts";
import type { NumberWords } from "./number-setting.tsx";

export const keyLifetime: NumberWords = {
  field: "max_key_lifetime_days",
  title: "Maximum key lifetime",
  lead: "Applies to API keys and admin keys when they are created, rotated or changed. Existing keys keep their expiry.",
  label: "Days",
  hint: "1 to 3,650. Empty: no limit.",
  placeholder: "No limit",
  action: "Save maximum lifetime",
  toBody: (days) => ({ max_key_lifetime_days: days }),
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
  hint: "1 to 10,000. Empty: no limit.",
  placeholder: "No limit",
  action: "Save keys per member",
  toBody: (keys) => ({ max_keys_per_member: keys }),
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
  toBody: (hours) => ({ session_hours: hours }),
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
  toBody: (hours) => ({ session_idle_hours: hours }),
  describe: (hours) =>
    `Idle sessions end after ${hours === null ? "7 days" : formatPlural(hours, "hour")}`,
};

/** Shortest minimum, which is the default too. */
const LEAST_CHARACTERS = 12;

export const passwordLength: NumberWords = {
  field: "min_password_length",
  title: "Password length",
  lead: "Applies to new passwords: set-up, invite, reset and change. Existing passwords stay valid.",
  label: "Characters",
  hint: `${LEAST_CHARACTERS} to 64. Empty: ${LEAST_CHARACTERS}.`,
  placeholder: String(LEAST_CHARACTERS),
  action: "Save password length",
  toBody: (length) => ({ min_password_length: length ?? LEAST_CHARACTERS }),
  describe: (length) => `New passwords have ${length ?? LEAST_CHARACTERS} characters or more`,
};
