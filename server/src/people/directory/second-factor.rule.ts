/** Values of `amr` (RFC 8176 and common ones) that stand for a second factor or for a device that verifies its user. */
const methods: ReadonlySet<string> = new Set(["mfa", "otp", "hwk", "swk", "fido", "sc", "phr"]);
/** Values of `acr` that stand for several factors. */
const contexts: ReadonlySet<string> = new Set([
  "phr",
  "phrh",
  "mfa",
  "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
  "urn:okta:loa:2fa:any",
]);

/** Whether the provider vouches for a second factor, by the rule of the directory. */
export function hasProviderSecondFactor(
  rule: "claims" | "trusted" | "here",
  claims: { amr?: unknown; acr?: unknown },
): boolean {
  if (rule !== "claims") return rule === "trusted";
  const { amr, acr } = claims;
  const hasMethod =
    Array.isArray(amr) && amr.some((each) => typeof each === "string" && methods.has(each));
  return hasMethod || (typeof acr === "string" && contexts.has(acr));
}
