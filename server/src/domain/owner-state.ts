/**
 * How the owner of a personal key stands: such a key works while its owner is `active`. `outside`: the person is not in
 * the key's workspace any more. Null where the workspace owns the key.
 */
export type OwnerState = "active" | "deactivated" | "removed" | "outside";
