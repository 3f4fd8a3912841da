import type { ComponentPropsWithRef, ReactNode } from "react";
import { classNames } from "./class-names.ts";
import { AppLink, type AppLinkProps } from "./link.tsx";

export type ButtonKind = "primary" | "plain" | "quiet" | "danger";

const looks: Record<ButtonKind, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong border-transparent",
  plain: "bg-raised text-ink border-edge/55 hover:border-edge hover:bg-sunk",
  quiet: "bg-transparent text-quiet border-transparent hover:bg-sunk hover:text-ink",
  danger: "bg-bad text-on-bad border-transparent hover:brightness-110",
};

const shape =
  "relative inline-flex min-h-9 items-center justify-center gap-2 rounded-md border px-3.5 py-1.5 text-sm " +
  "font-medium whitespace-nowrap transition-colors select-none disabled:opacity-55 disabled:pointer-events-none " +
  "aria-disabled:opacity-55 pointer-coarse:min-h-11";

interface ButtonProps extends ComponentPropsWithRef<"button"> {
  kind?: ButtonKind;
  /** Shows a spinner and disables the button. Width and name stay. */
  isBusy?: boolean;
}

/** The label is a verb and an object: "Create key". An ellipsis says that a dialog opens. */
export function Button({
  kind = "plain",
  isBusy = false,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || isBusy}
      aria-busy={isBusy || undefined}
      className={classNames(shape, looks[kind], className)}
    >
      <span className={classNames("inline-flex items-center gap-2", isBusy && "opacity-0")}>
        {children}
      </span>
      {isBusy && <Spinner className="absolute" />}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  kind = "plain",
  children,
  ...rest
}: AppLinkProps & { kind?: ButtonKind; children: ReactNode }) {
  return (
    <AppLink {...rest} className={classNames(shape, looks[kind])}>
      {children}
    </AppLink>
  );
}

interface IconButtonProps extends ComponentPropsWithRef<"button"> {
  /** Name for screen readers, and the title. */
  label: string;
}

export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={classNames(
        "target inline-grid size-8 place-items-center rounded-md text-quiet transition-colors hover:bg-sunk",
        "hover:text-ink data-popup-open:bg-sunk disabled:opacity-55",
        className,
      )}
    >
      {children}
    </button>
  );
}

export function Spinner({ className }: { className?: string }) {
  return (
    <span
      aria-hidden="true"
      className={classNames(
        "inline-block size-4 animate-[turn_0.7s_linear_infinite] rounded-full border-2 border-current border-r-transparent",
        className,
      )}
    />
  );
}
