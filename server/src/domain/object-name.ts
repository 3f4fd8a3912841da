import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";

/** Names an object of an upstream. */
export interface ObjectName {
  kind: StoredObjectKind;
  id: string;
}

// No slash, no percent sign and no dot, so that the upstream reads the same path.
export const OBJECT_ID = /^[A-Za-z0-9_-]{1,128}$/;
