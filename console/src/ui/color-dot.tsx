/** Colour of a workspace. Screen readers skip it, because the name stands beside it. */
export function ColorDot({ color }: { color: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 10 10" className="size-2.5 shrink-0">
      <rect width="10" height="10" rx="2.5" fill={color} />
    </svg>
  );
}
