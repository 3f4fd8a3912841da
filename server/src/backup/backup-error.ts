/**
 * A backup or a restore failed for a reason that the operator can fix, and changed nothing. The message states the
 * fault and the remedy. `kind` decides the exit code.
 */
export class BackupError extends Error {
  readonly kind: "usage" | "passphrase" | "damaged" | "conflict" | "not_found";

  constructor(kind: BackupError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BackupError";
    this.kind = kind;
  }
}
