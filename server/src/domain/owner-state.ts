/**
 * State of a personal key's owner. The key works while the owner is `active`. `outside`: the owner is no longer in the
 * key's workspace. Null: the workspace owns the key.
 */
export type OwnerState = "active" | "deactivated" | "removed" | "outside";
