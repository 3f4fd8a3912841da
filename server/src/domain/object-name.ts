/** Kinds of objects that an upstream keeps for a workspace. */
export type ObjectKind = "file" | "skill" | "container" | "thread" | "message_batch";

/** Names an object of an upstream. */
export interface ObjectName {
  kind: ObjectKind;
  id: string;
}

// No slash, no percent sign and no dot, so that the upstream reads the same path.
export const OBJECT_ID = /^[A-Za-z0-9_-]{1,128}$/;
