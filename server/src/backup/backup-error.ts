/**
 * A backup or a restore cannot go on for a reason that its operator can mend, and has changed nothing. The message says
 * what is wrong and what to do; `kind` decides the exit code.
 */
export class BackupError extends Error {
  readonly kind: "usage" | "passphrase" | "damaged" | "conflict" | "not_found";

  constructor(kind: BackupError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BackupError";
    this.kind = kind;
  }
}
