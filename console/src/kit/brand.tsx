import { classNames } from "../ui/class-names.ts";

/** Logo and name of the product. */
export function Brand({ className }: { className?: string }) {
  return (
    <span className={classNames("flex w-fit", className)}>
      <span className="inline-flex items-center gap-2.5">
        <svg viewBox="0 0 32 32" aria-hidden="true" className="size-7">
          <rect width="32" height="32" rx="7" className="fill-accent" />
          <path
            d="M8 24.5h16M9.5 21V13.5M16 21V13.5M22.5 21V13.5M7.5 11.5 16 6.5l8.5 5z"
            className="stroke-on-accent"
            fill="none"
            strokeWidth="2.2"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </svg>
        <span className="font-serif text-[1.2rem] font-[600] tracking-[-0.01em]">Bursar</span>
      </span>
    </span>
  );
}
