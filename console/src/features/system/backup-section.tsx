import { Badge } from "../../ui/badge.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatCount, formatPlural, formatTime } from "../../ui/format.ts";
import { Facts, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import type { Answer } from "./queries.ts";
import { formatBytes } from "./words.ts";

interface Props {
  backup: Answer["backup"];
  isEmbedded: boolean;
}

/** The newest backup, open tasks after a restore, and the command for a new backup. */
export function BackupSection({ backup, isEmbedded }: Props) {
  const { newest, newest_restore, held_keys } = backup;
  return (
    <Section
      title="Backup"
      lead={
        isEmbedded
          ? "A backup file contains all data. The server keeps running meanwhile. Create one daily, and store it on another machine."
          : "A backup file contains all data. The server keeps running meanwhile. Backups of your own PostgreSQL are not listed here."
      }
    >
      <Facts
        items={[
          ["Newest", <Newest key="newest" backup={backup} />],
          ...(newest
            ? ([
                ["File", <code key="file">{newest.file_name}</code>],
                [
                  "Contents",
                  `${formatPlural(newest.requests, "request")}, ${formatBytes(newest.size_bytes)}`,
                ],
                ["Secret", <Secret key="secret" hasSecret={newest.has_secret} />],
              ] as const)
            : []),
          ...(newest_restore
            ? ([["Restored", <Restore key="restore" restore={newest_restore} />]] as const)
            : []),
          ...(held_keys > 0
            ? ([
                [
                  "Unconfirmed keys",
                  <span key="held">
                    <Badge tone="warn">{formatCount(held_keys)}</Badge> were restored, and do not
                    work until they are confirmed on the server:{" "}
                    <code>./bursar restore confirm-keys</code>
                  </span>,
                ],
              ] as const)
            : []),
        ]}
      />
      <CodeBlock what="command" text="./bursar backup bursar-$(date +%F).backup" />
    </Section>
  );
}

function Newest({ backup: { newest, is_late } }: Pick<Props, "backup">) {
  if (newest === null) return is_late ? <Badge tone="warn">None yet</Badge> : "None yet";
  return (
    <>
      <RelativeTime at={newest.made_at} /> {is_late && <Badge tone="warn">Overdue</Badge>}
    </>
  );
}

function Secret({ hasSecret }: { hasSecret: boolean }) {
  return hasSecret
    ? "Included, encrypted with the passphrase."
    : "Not included. Store the secret of the installation in another place.";
}

function Restore({ restore }: { restore: NonNullable<Props["backup"]["newest_restore"]> }) {
  const { restored_at, backup_made_at } = restore;
  return (
    <>
      <RelativeTime at={restored_at} />
      {backup_made_at && `, to the state of ${formatTime(backup_made_at)}`}
    </>
  );
}
