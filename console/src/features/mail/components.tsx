import { CodeBlock } from "../../ui/code-block.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { useMail } from "./queries.ts";

const absentWords = {
  sent: "The message was sent. Its text is not stored, because links in it belong to the recipient.",
  withdrawn: "The message was withdrawn because its subject ended before it was sent.",
} as const;

/** One message, with its text until it is sent. */
export function MailDrawer({ mailId, onClose }: { mailId: string; onClose: () => void }) {
  const mail = useMail(mailId);
  const { data } = mail;
  return (
    <Dialog title={data?.subject ?? "Message"} isOpen onClose={onClose} isDrawer>
      {mail.error && <ErrorState error={mail.error} onRetry={() => void mail.refetch()} />}
      {mail.isPending && <SkeletonRows rows={4} />}
      {data && (
        <>
          <Facts
            items={[
              ["To", data.to],
              ["State", `${data.status}, ${formatPlural(data.attempts, "attempt")}`],
              ["Created", <RelativeTime key="written" at={data.created_at} />],
              ["Sent", <RelativeTime key="sent" at={data.sent_at} absent="Not yet" />],
              ...(data.last_error ? ([["Last error", data.last_error]] as const) : []),
            ]}
          />
          {data.access_links === "hidden" && (
            <p className="text-sm text-quiet">
              The link in this message grants access. Only the recipient can see it, and the
              operator on the server’s machine with <code>./bursar mail get {data.id}</code>.
            </p>
          )}
          {data.body ? (
            <CodeBlock text={data.body.text} what="message" isWrapped />
          ) : (
            <p className="text-sm text-quiet">
              {data.body_absent_because && absentWords[data.body_absent_because]}
            </p>
          )}
        </>
      )}
    </Dialog>
  );
}
