// Colours that are distinguishable on light and dark backgrounds.
const PALETTE = [
  "#6C5BB9",
  "#2F7FC1",
  "#2E8B6F",
  "#B5722A",
  "#C0504D",
  "#8A5A9E",
  "#4B8A3A",
  "#B0457B",
  "#3A8EA5",
  "#8C7A2B",
] as const;

/** Default colour of a workspace, derived from its id. */
export function defaultDisplayColor(workspaceId: string): string {
  let sum = 0;
  for (let i = 0; i < workspaceId.length; i++) sum += workspaceId.charCodeAt(i);
  return PALETTE[sum % PALETTE.length] ?? PALETTE[0];
}
