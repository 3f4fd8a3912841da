import { z } from "zod";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { type RouteSpec, route } from "../route.ts";

// Routes of files and skills, for the documents. The gateway checks owners, and forwards bodies unchanged.

const objectId = z.string().meta({ description: "Id of an object of the key's workspace." });
const fileParams = z.strictObject({ file_id: objectId });
const skillParams = z.strictObject({ skill_id: objectId });
const versionParams = skillParams.extend({
  version: z.string().meta({ description: "Id of a version of the skill, or `latest`." }),
});
const file = z.looseObject({
  id: z.string(),
  type: z.literal("file"),
  filename: z.string(),
  mime_type: z.string(),
  size_bytes: z.int(),
  created_at: z.string(),
});
const skill = z.looseObject({
  id: z.string(),
  type: z.literal("skill"),
  display_name: z.string(),
  latest_version_id: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
});
const version = z.looseObject({
  id: z.string(),
  type: z.literal("skill_version"),
  skill_id: z.string(),
  created_at: z.string(),
});
const deleted = (type: string) => z.looseObject({ id: z.string(), type: z.literal(type) });
const content = z.looseObject({}).meta({ description: "The bytes, in their own media type." });

const files = [
  route({
    operationId: "createFile",
    method: "POST",
    path: "/v1/files",
    summary: "Upload a file",
    description:
      "Stores a file of at most 500 MB for the workspace of the key. The body is a form (`multipart/form-data`) with the " +
      "field `file`.",
    action: "files:write",
    audited: null,
    response: file,
  }),
  route({
    operationId: "listFiles",
    method: "GET",
    path: "/v1/files",
    summary: "List files",
    description: "Returns the files of the workspace of the key, newest first.",
    action: "files:read",
    audited: null,
    query: z.strictObject(pageCursorQuery),
    response: pageCursor(file),
  }),
  route({
    operationId: "getFile",
    method: "GET",
    path: "/v1/files/{file_id}",
    summary: "Get a file",
    action: "files:read",
    audited: null,
    params: fileParams,
    response: file,
  }),
  route({
    operationId: "downloadFile",
    method: "GET",
    path: "/v1/files/{file_id}/content",
    summary: "Download a file",
    description: "Returns the bytes of a file that a tool of Claude made.",
    action: "files:read",
    audited: null,
    params: fileParams,
    response: content,
    isBytes: true,
  }),
  route({
    operationId: "deleteFile",
    method: "DELETE",
    path: "/v1/files/{file_id}",
    summary: "Delete a file",
    action: "files:write",
    audited: null,
    params: fileParams,
    response: deleted("file_deleted"),
  }),
] as const satisfies readonly RouteSpec[];

const skills = [
  route({
    operationId: "createSkill",
    method: "POST",
    path: "/v1/skills",
    summary: "Create a skill",
    description: "The body is a form (`multipart/form-data`) with `files[]`, one of them SKILL.md.",
    action: "skills:write",
    audited: null,
    response: skill,
  }),
  route({
    operationId: "listSkills",
    method: "GET",
    path: "/v1/skills",
    summary: "List skills",
    description: "Returns the skills of the workspace of the key, and then those of Anthropic.",
    action: "skills:read",
    audited: null,
    query: z.strictObject(pageCursorQuery),
    response: pageCursor(skill),
  }),
  route({
    operationId: "getSkill",
    method: "GET",
    path: "/v1/skills/{skill_id}",
    summary: "Get a skill",
    action: "skills:read",
    audited: null,
    params: skillParams,
    response: skill,
  }),
  route({
    operationId: "deleteSkill",
    method: "DELETE",
    path: "/v1/skills/{skill_id}",
    summary: "Delete a skill",
    action: "skills:write",
    audited: null,
    params: skillParams,
    response: deleted("skill_deleted"),
  }),
  route({
    operationId: "createSkillVersion",
    method: "POST",
    path: "/v1/skills/{skill_id}/versions",
    summary: "Create a version of a skill",
    description: "The body is a form (`multipart/form-data`) with `files[]`.",
    action: "skills:write",
    audited: null,
    params: skillParams,
    response: version,
  }),
  route({
    operationId: "listSkillVersions",
    method: "GET",
    path: "/v1/skills/{skill_id}/versions",
    summary: "List versions of a skill",
    action: "skills:read",
    audited: null,
    params: skillParams,
    query: z.strictObject(pageCursorQuery),
    response: pageCursor(version),
  }),
  route({
    operationId: "getSkillVersion",
    method: "GET",
    path: "/v1/skills/{skill_id}/versions/{version}",
    summary: "Get a version of a skill",
    action: "skills:read",
    audited: null,
    params: versionParams,
    response: version,
  }),
  route({
    operationId: "downloadSkillVersion",
    method: "GET",
    path: "/v1/skills/{skill_id}/versions/{version}/content",
    summary: "Download a version of a skill",
    action: "skills:read",
    audited: null,
    params: versionParams,
    response: content,
    isBytes: true,
  }),
  route({
    operationId: "deleteSkillVersion",
    method: "DELETE",
    path: "/v1/skills/{skill_id}/versions/{version}",
    summary: "Delete a version of a skill",
    action: "skills:write",
    audited: null,
    params: versionParams,
    response: deleted("skill_version_deleted"),
  }),
] as const satisfies readonly RouteSpec[];

export const storedObjectRoutes = [...files, ...skills] as const;
