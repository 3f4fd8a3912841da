/** Names and addresses of a user, as its directory sends them. */
export interface ScimAttributes {
  displayName?: string | undefined;
  name?:
    | {
        formatted?: string | undefined;
        givenName?: string | undefined;
        familyName?: string | undefined;
      }
    | undefined;
  emails?:
    | { value: string; type?: string | undefined; primary?: boolean | undefined }[]
    | undefined;
}

/** Address that a directory states: its primary one, else one for work, else the first, else the user name. */
export function chooseAddress({
  userName,
  attributes: { emails = [] },
}: {
  userName: string;
  attributes: ScimAttributes;
}): string {
  const chosen =
    emails.find(({ primary }) => primary === true) ??
    emails.find(({ type }) => type?.toLowerCase() === "work") ??
    emails[0];
  return chosen?.value ?? userName;
}

/** Name that a directory states, or null. */
export function chooseName({ displayName, name }: ScimAttributes): string | null {
  const full = [name?.givenName, name?.familyName].filter(Boolean).join(" ");
  return displayName?.trim() || name?.formatted?.trim() || full.trim() || null;
}
