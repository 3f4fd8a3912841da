import { z } from "zod";
import { count, nameText, optionalQuery, queryList, timestamp } from "../fields.ts";
import { groupId, managedSettingsVersionId, memberId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const MAX_POLICIES = 100;
const MAX_GROUPS = 100;
const MAX_COMMENT_LENGTH = 500;

const settings = z.record(z.string().max(200), z.unknown()).meta({
  description:
    "Settings of Claude Code, as in its `managed-settings.json`. The types of known keys are checked. Unknown keys are accepted with a warning.",
});

const settingsPolicy = z
  .object({
    name: nameText,
    group_ids: z.array(groupId).max(MAX_GROUPS).meta({
      description: "Members of one of these groups get the settings. Empty: the base for everyone.",
    }),
    settings,
  })
  .meta({ id: "SettingsPolicy" });

const policiesInput = z.array(settingsPolicy.strict()).max(MAX_POLICIES).meta({
  description:
    "Ordered. A member gets the first policy with one of the member's groups, laid over the base. Names differ, and one policy at most is the base.",
});

const comment = z
  .string()
  .trim()
  .max(MAX_COMMENT_LENGTH)
  .nullable()
  .meta({ description: "Reason for the change." });

const version = z.int().min(0).meta({
  description: "Number of the version, which each change raises. 0: nothing was saved yet.",
});
const ifVersion = z.int().min(0).optional().meta({
  description: "Saves only if this is the current `version`. Otherwise a 409.",
});

const settingsWarning = z
  .object({
    path: z
      .string()
      .meta({ description: "Place in the policies, such as `policies.0.settings.env`." }),
    code: z
      .enum([
        "unknown_key",
        "no_effect",
        "needs_approval",
        "unknown_group",
        "never_matches",
        "no_base",
      ])
      .meta({
        description:
          "`unknown_key`: this server does not know the key. `no_effect`: signed-in clients ignore it. `needs_approval`: interactive clients ask their user once. `unknown_group`: the group was deleted. `never_matches`: policies above have all of its groups. `no_base`: members without a listed group get no settings.",
      }),
    message: z.string().meta({ description: "A sentence for people." }),
  })
  .meta({ id: "SettingsWarning" });

const versionFields = {
  id: managedSettingsVersionId.nullable().meta({ description: "Null: nothing was saved yet." }),
  version,
  comment: z.string().nullable(),
  restored_version: z.int().nullable().meta({
    description: "Earlier version that this one repeats. Null: none.",
  }),
  created_at: timestamp.nullable().meta({ description: "Null: nothing was saved yet." }),
  created_by: z
    .object({ type: z.string(), id: z.string() })
    .nullable()
    .meta({ description: "Caller that saved the version." }),
};

export const managedSettings = z
  .object({
    type: z.literal("managed_settings"),
    ...versionFields,
    policies: z.array(settingsPolicy),
    warnings: z.array(settingsWarning),
  })
  .meta({ id: "ManagedSettings" });

const managedSettingsVersion = z
  .object({
    type: z.literal("managed_settings_version"),
    ...versionFields,
    policy_count: z.int(),
    is_signed: z.boolean().meta({
      description:
        "False: the version was written to the database without this server. Nodes refuse it.",
    }),
  })
  .meta({ id: "ManagedSettingsVersion" });

export const effectiveSettings = z
  .object({
    type: z.literal("effective_managed_settings"),
    member_id: memberId.nullable(),
    group_ids: z.array(groupId),
    base: z.string().nullable().meta({ description: "Name of the policy for everyone." }),
    policy: z.string().nullable().meta({
      description: "Name of the first policy with one of the groups.",
    }),
    settings: settings.nullable().meta({
      description: "Null: no policy applies, and clients get a 404.",
    }),
    checksum: z.string().nullable().meta({
      description: "`sha256:` with the hash of the settings: JSON with sorted names and no spaces.",
    }),
    keys: z.array(
      z.object({
        path: z.string().meta({ description: "Key, such as `model` or `env.EDITOR`." }),
        policies: z.array(z.string()).meta({
          description:
            "Names of the policies that decide the key. Empty: the models that the groups allow.",
        }),
      }),
    ),
  })
  .meta({ id: "EffectiveManagedSettings" });

export const getManagedSettings = route({
  operationId: "getManagedSettings",
  method: "GET",
  path: "/v1/admin/managed_settings",
  summary: "Get the managed settings",
  description: "Settings of Claude Code for signed-in machines of members.",
  action: "managed_settings:read",
  audited: null,
  response: managedSettings,
});

export const setManagedSettings = route({
  operationId: "setManagedSettings",
  method: "POST",
  path: "/v1/admin/managed_settings",
  summary: "Replace the managed settings",
  description:
    "Replaces all policies and raises the version. Equal policies change nothing. Clients apply the change at their next start, or within an hour. A person's settings have at most 64 KB of JSON.",
  action: "managed_settings:write",
  audited: "managed_settings.set",
  stepUp: true,
  body: z.strictObject({
    if_version: ifVersion,
    policies: policiesInput,
    comment: comment.default(null),
  }),
  response: managedSettings,
});

export const checkManagedSettings = route({
  operationId: "checkManagedSettings",
  method: "POST",
  path: "/v1/admin/managed_settings/check",
  summary: "Check managed settings without saving them",
  description:
    "Validates `policies` like a change, or an earlier version like its restoration. Returns warnings, the difference from the current version, and the settings of a member or of groups.",
  action: "managed_settings:read",
  audited: null,
  body: z.strictObject({
    policies: policiesInput.optional(),
    managed_settings_version_id: managedSettingsVersionId.optional().meta({
      description: "Version to restore, instead of `policies`.",
    }),
    member_id: memberId.optional(),
    group_ids: z.array(groupId).max(MAX_GROUPS).optional(),
  }),
  response: z
    .object({
      type: z.literal("managed_settings_check"),
      version,
      warnings: z.array(settingsWarning),
      is_reordered: z
        .boolean()
        .meta({ description: "True: policies of both versions changed places." }),
      changes: z.array(
        z.object({
          policy: z.string(),
          change: z.enum(["added", "removed", "changed"]),
          keys: z.array(
            z.object({
              path: z.string().meta({ description: "`group_ids`, or a key of the settings." }),
              before: z.unknown().meta({ description: "Null: absent." }),
              after: z.unknown().meta({ description: "Null: absent." }),
            }),
          ),
        }),
      ),
      laptops: z
        .object({
          active: count.meta({ description: "Laptops that work now." }),
          changed: count.meta({ description: "Laptops that get other settings, or none." }),
          without_settings: count.meta({
            description: "Laptops that have settings now, and get none after the change.",
          }),
        })
        .meta({ description: "Laptops that the difference affects." }),
      effective: effectiveSettings.nullable().meta({
        description: "Null: the request names neither a member nor groups.",
      }),
    })
    .meta({ id: "ManagedSettingsCheck" }),
});

export const getEffectiveManagedSettings = route({
  operationId: "getEffectiveManagedSettings",
  method: "GET",
  path: "/v1/admin/managed_settings/effective",
  summary: "Get the managed settings of a member",
  description: "The request names a member by `member_id`, or groups by `group_ids`.",
  action: "managed_settings:read",
  audited: null,
  query: z.strictObject({ member_id: optionalQuery(memberId), group_ids: queryList(groupId) }),
  response: effectiveSettings,
});

export const listManagedSettingsVersions = route({
  operationId: "listManagedSettingsVersions",
  method: "GET",
  path: "/v1/admin/managed_settings/versions",
  summary: "List versions of the managed settings",
  description: "Newest first. All versions are kept.",
  action: "managed_settings:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(managedSettingsVersion),
});

const versionParams = z.strictObject({ managed_settings_version_id: managedSettingsVersionId });

export const getManagedSettingsVersion = route({
  operationId: "getManagedSettingsVersion",
  method: "GET",
  path: "/v1/admin/managed_settings/versions/{managed_settings_version_id}",
  summary: "Get a version of the managed settings",
  action: "managed_settings:read",
  audited: null,
  params: versionParams,
  response: managedSettings,
});

export const restoreManagedSettings = route({
  operationId: "restoreManagedSettings",
  method: "POST",
  path: "/v1/admin/managed_settings/versions/{managed_settings_version_id}/restore",
  summary: "Restore a version of the managed settings",
  description:
    "Saves the policies of an earlier version as a new one. Deleted groups in it match no member.",
  action: "managed_settings:write",
  audited: "managed_settings.set",
  stepUp: true,
  params: versionParams,
  body: z.strictObject({ if_version: ifVersion, comment: comment.default(null) }),
  response: managedSettings,
});

export const managedSettingsRoutes = [
  getManagedSettings,
  setManagedSettings,
  checkManagedSettings,
  getEffectiveManagedSettings,
  listManagedSettingsVersions,
  getManagedSettingsVersion,
  restoreManagedSettings,
] as const;
