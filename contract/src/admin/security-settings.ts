import { z } from "zod";
import { count } from "../fields.ts";
import { route } from "../route.ts";

const MAX_LIFETIME_DAYS = 3650;
const maxKeyLifetimeDays = z.int().min(1).max(MAX_LIFETIME_DAYS).nullable().meta({
  description: "Maximum lifetime of API keys and admin keys, in days. Null: no limit.",
});
const MAX_SESSION_HOURS = 720;
const MAX_IDLE_HOURS = 168;
const MAX_RANGES = 100;
const MAX_RANGE_LENGTH = 60;
export const passwordLengthBounds = { min: 12, max: 64 } as const;
const minPasswordLength = z.int().min(passwordLengthBounds.min).max(passwordLengthBounds.max).meta({
  description: "Minimum length of new passwords, in characters. Existing ones stay valid.",
});
export const secondFactorRules = ["off", "admins", "all"] as const;
const secondFactor = z.enum(secondFactorRules).meta({
  description:
    "Members who need an authenticator app or a passkey: none, owners and admins, or all. Others of them can only set one up.",
});
const sessionHours = z.int().min(1).max(MAX_SESSION_HOURS).nullable().meta({
  description: "Maximum lifetime of a session, in hours. Null: 30 days.",
});
const sessionIdleHours = z.int().min(1).max(MAX_IDLE_HOURS).nullable().meta({
  description: "Maximum time of a session without use, in hours. Null: 7 days.",
});
const consoleAddresses = z
  .array(z.string().max(MAX_RANGE_LENGTH))
  .min(1)
  .max(MAX_RANGES)
  .nullable()
  .meta({
    description:
      "IPv4 and IPv6 addresses and CIDR ranges from which sessions work. Null: all addresses.",
  });

const MAX_KEYS_PER_MEMBER = 10_000;
const maxKeysPerMember = z.int().min(1).max(MAX_KEYS_PER_MEMBER).nullable().meta({
  description: "Maximum number of living personal keys of one member. Null: no limit.",
});

const raisesNeedTwoPeople = z.boolean().meta({
  description:
    "True: a strict or soft spend limit is raised or removed only by an increase request that another person approves. The operator is exempt.",
});

const companySignInOnly = z.boolean().meta({
  description:
    "True: members sign in through a directory only. Passwords, passkeys at sign-in, password links and the acceptance of invites are refused. Only an owner who signed in through a directory can turn it on, which ends all other sessions.",
});

const keysBeyond = z.object({ api_keys: count, admin_keys: count });

export const securitySettings = z
  .object({
    type: z.literal("security_settings"),
    max_key_lifetime_days: maxKeyLifetimeDays,
    max_keys_per_member: maxKeysPerMember,
    raises_need_two_people: raisesNeedTwoPeople,
    second_factor: secondFactor,
    session_hours: sessionHours,
    session_idle_hours: sessionIdleHours,
    console_addresses: consoleAddresses,
    min_password_length: minPasswordLength,
    company_sign_in_only: companySignInOnly,
    keys_beyond_max_lifetime: keysBeyond.meta({
      description: "Working keys that expire later than the maximum lifetime allows, or never.",
    }),
  })
  .meta({ id: "SecuritySettings" });

export const getSecuritySettings = route({
  operationId: "getSecuritySettings",
  method: "GET",
  path: "/v1/admin/security_settings",
  summary: "Get the organization's security settings",
  action: "security:read",
  audited: null,
  response: securitySettings,
});

const changes = {
  max_key_lifetime_days: maxKeyLifetimeDays.optional(),
  max_keys_per_member: maxKeysPerMember.optional(),
  raises_need_two_people: raisesNeedTwoPeople.optional(),
  second_factor: secondFactor.optional(),
  session_hours: sessionHours.optional(),
  session_idle_hours: sessionIdleHours.optional(),
  console_addresses: consoleAddresses.optional(),
  min_password_length: minPasswordLength.optional(),
  company_sign_in_only: companySignInOnly.optional(),
};

export const updateSecuritySettings = route({
  operationId: "updateSecuritySettings",
  method: "POST",
  path: "/v1/admin/security_settings",
  summary: "Change the organization's security settings",
  description:
    "`max_key_lifetime_days` applies to every key that is created, rotated or changed from now on. Existing keys stay the same. The response counts them, and `exceeds_max_lifetime` finds them in the list of API keys. `max_keys_per_member` applies to new personal keys. Null removes a rule. The rules for sessions apply to existing sessions at once. `console_addresses` does not restrict keys or the operator, and a member cannot exclude its own address. Omitted fields stay the same.",
  action: "security:write",
  audited: "security_settings.updated",
  stepUp: true,
  body: z.strictObject(changes),
  response: securitySettings,
});

export const securitySettingsPreview = z
  .object({
    type: z.literal("security_settings_preview"),
    keys_beyond_max_lifetime: keysBeyond.meta({
      description: "Working keys beyond the new maximum lifetime. They keep their expiry.",
    }),
    open_sessions: count,
    ended_sessions: count.meta({
      description:
        "Open sessions that end at once, by their age, their idle time or the company sign-in.",
    }),
    ends_own_session: z.boolean(),
    sessions_outside_addresses: count.meta({
      description: "Open sessions that began at an address outside the console addresses.",
    }),
    excludes_own_address: z.boolean().meta({
      description: "True: the change is refused, because the caller could not undo it.",
    }),
    members_without_second_factor: count.meta({
      description: "Active members who must set up a second factor before they do anything else.",
    }),
    members_without_directory: count.meta({
      description:
        "Active members without a link to an enabled directory. With the company sign-in alone, they cannot sign in.",
    }),
    extended_sessions: count.meta({ description: "Open sessions that last longer." }),
    members_freed_from_second_factor: count.meta({
      description: "Active members who needed a second factor, and no longer do.",
    }),
    members_with_other_sign_in: count.meta({
      description:
        "Active members for whom passwords, password links and passkeys work again, without the company sign-in.",
    }),
    members_freed_from_addresses: count.meta({
      description: "Active members whose sessions work from all addresses again.",
    }),
  })
  .meta({ id: "SecuritySettingsPreview" });

export const previewSecuritySettings = route({
  operationId: "previewSecuritySettings",
  method: "POST",
  path: "/v1/admin/security_settings/preview",
  summary: "Preview a change of the security settings",
  description:
    "Counts the keys, sessions and members that the change affects at once. A rule that it leaves as it is affects none. Changes nothing.",
  action: "security:write",
  audited: null,
  body: z.strictObject(changes),
  response: securitySettingsPreview,
});

export const securitySettingsRoutes = [
  getSecuritySettings,
  updateSecuritySettings,
  previewSecuritySettings,
] as const;
