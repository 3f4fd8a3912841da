/** A key, as on the keyboard. */
export function KeyCap({ children }: { children: string }) {
  return (
    <kbd className="min-w-6 rounded-sm border border-line bg-raised px-1.5 text-center text-xs leading-5">
      {children}
    </kbd>
  );
}
