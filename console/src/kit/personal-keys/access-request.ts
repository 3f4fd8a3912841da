/** Message of a person without a way to a key to an administrator, with what the administrator can do. */
export function writeAccessRequest({ email, baseUrl }: { email: string; baseUrl: string }): string {
  return [
    `Please let me use Claude through ${baseUrl}. My account is ${email}.`,
    "",
    "One of these changes is enough:",
    "- Add me to a workspace, and allow personal keys on its tab Settings.",
    "- Create a key for me: API keys, Create key, Owner “Another person”.",
  ].join("\n");
}
