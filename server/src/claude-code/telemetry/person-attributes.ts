/** A verified attribute of the person behind telemetry, by its name in OpenTelemetry. */
export type PersonAttributes = ReadonlyMap<string, string | readonly string[]>;

/** A person whose sign-in the server has checked. */
interface TelemetryPerson {
  memberId: string;
  /** Null: not known right now. */
  email: string | null;
  organizationId: string;
  laptopId: string;
  groupNames: readonly string[];
}

export function toPersonAttributes(person: TelemetryPerson): PersonAttributes {
  const attributes = new Map<string, string | readonly string[]>([
    ["user.id", person.memberId],
    ["user.groups", person.groupNames],
    ["organization.id", person.organizationId],
    ["bursar.laptop.id", person.laptopId],
  ]);
  if (person.email !== null) attributes.set("user.email", person.email);
  return attributes;
}

/** Names that a client cannot set on a resource, also while a value is not known. */
export const verifiedNames: ReadonlySet<string> = new Set([
  "user.id",
  "user.email",
  "user.groups",
  "organization.id",
  "bursar.laptop.id",
]);
