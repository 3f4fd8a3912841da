import { type ReactNode, useEffect } from "react";
import { Brand } from "../brand.tsx";
import { ConnectionBanner } from "../connection-banner.tsx";

interface AuthPageProps {
  title: string;
  /** Shown above the title: the progress. */
  above?: ReactNode;
  lead?: ReactNode;
  isWide?: boolean;
  children: ReactNode;
}

/** Page for visitors without a session: one column with one task. */
export function AuthPage({ title, above, lead, isWide, children }: AuthPageProps) {
  useEffect(() => {
    document.title = `${title} · Bursar`;
  }, [title]);
  return (
    <div className="min-h-dvh">
      <ConnectionBanner />
      <main
        className={`mx-auto grid content-start gap-7 px-5 pt-[max(2.5rem,10dvh)] pb-16 ${isWide ? "max-w-xl" : "max-w-sm"}`}
      >
        <Brand />
        <div className="grid gap-1.5">
          {above}
          <h1>{title}</h1>
          {lead && <div className="text-quiet">{lead}</div>}
        </div>
        {children}
      </main>
    </div>
  );
}
