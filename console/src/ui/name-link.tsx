import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** Link in the first column of a table: the name of the row, which opens its page. Long names are cut. */
export function NameLink({ children, ...rest }: LinkProps & { children: ReactNode }) {
  return (
    <Link
      {...rest}
      className="truncate rounded-sm font-medium hover:underline focus-visible:-outline-offset-2 pointer-coarse:-my-3 pointer-coarse:py-3"
    >
      {children}
    </Link>
  );
}

/** The same link as the click area of its whole row. */
export function RowLink({ children, ...rest }: LinkProps & { children: ReactNode }) {
  return (
    <Link {...rest} className="max-w-80 truncate font-medium after:absolute after:inset-0">
      {children}
    </Link>
  );
}
