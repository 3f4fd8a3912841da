// Objects in the official shapes.

/** Metadata of a file, as the official `GET /v1/files/{id}` returns it. */
export interface FileMetadata {
  id: string;
  type: "file";
  filename: string;
  mime_type: string;
  size_bytes: number;
  created_at: string;
  downloadable: boolean;
  expires_at: string | null;
}

/** A message batch, as the official `GET /v1/messages/batches/{id}` returns it. */
export interface MessageBatch {
  id: string;
  type: "message_batch";
  processing_status: "in_progress" | "canceling" | "ended";
  request_counts: {
    processing: number;
    succeeded: number;
    errored: number;
    canceled: number;
    expired: number;
  };
  created_at: string;
  expires_at: string;
  ended_at: string | null;
  cancel_initiated_at: string | null;
  archived_at: string | null;
  results_url: string | null;
}

/** A skill, as the official `GET /v1/skills/{id}` returns it. */
export interface Skill {
  id: string;
  type: "skill";
  display_name: string;
  latest_version_id: string;
  source: { type: "custom" | "anthropic" };
  created_at: string;
  updated_at: string;
}

/** A version of a skill. */
export interface SkillVersion {
  id: string;
  type: "skill_version";
  skill_id: string;
  name: string;
  description: string;
  created_at: string;
}

/** A container of code execution, as a message names it. */
export interface Container {
  id: string;
  expires_at: string;
  skills: ContainerSkill[] | null;
}

export interface ContainerSkill {
  skill_id: string;
  type: "anthropic" | "custom";
  version: string;
}
