import type { Answer } from "../../api-client.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useActiveLaptops } from "../../kit/laptops/queries.ts";
import { SettingForm } from "../../kit/setting-form.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { useMay } from "../../session.ts";
import { ButtonLink } from "../../ui/button.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { useOrganization, useUpdateOrganization } from "./queries.ts";
import { describeTagChange } from "./tag-effects.ts";

type Organization = Answer<"getOrganizationSettings">;

/** Name and ids of the organization. */
export function SettingsPage() {
  const organization = useOrganization();
  if (organization.error) {
    return <LoadError error={organization.error} onRetry={() => void organization.refetch()} />;
  }
  return (
    <Page title="Settings" lead="Name and details of your company.">
      {organization.data ? <Loaded organization={organization.data} /> : <SkeletonRows rows={4} />}
    </Page>
  );
}

function Loaded({ organization }: { organization: Organization }) {
  const may = useMay();
  const { default_workspace: fallback } = organization;
  return (
    <div className="grid max-w-2xl gap-12">
      <Section
        title="Name"
        lead="The company name appears in the console, in invites and in messages."
      >
        <NameForm name={organization.name} />
      </Section>
      <Section
        title="Cost centre in Claude Code"
        lead="Tag whose value people choose in Claude Code. The value must be the name of one of their groups."
      >
        <GroupTagForm name={organization.billing_group_tag} />
      </Section>
      <Section
        title="Notice at sign-in"
        lead="Claude Code shows this text to people who sign in, beside the code."
      >
        <LoginNoticeForm notice={organization.login_notice} />
      </Section>
      <Section title="Details">
        <Facts
          items={[
            [
              "Id",
              <span key="id" className="inline-flex items-center gap-1">
                <code>{organization.id}</code>
                <CopyIconButton text={organization.id} what="id" />
              </span>,
            ],
            ["Created", <RelativeTime key="since" at={organization.created_at} />],
            ...(fallback
              ? ([
                  [
                    "Default workspace",
                    <span key="workspace" className="grid gap-1">
                      <WorkspaceLink id={fallback.id} />
                      <span className="text-quiet">
                        The default workspace cannot be archived. Each key belongs to the workspace
                        it is created in.
                      </span>
                    </span>,
                  ],
                ] as const)
              : []),
          ]}
        />
      </Section>
      <Section title="Other settings">
        <div className="flex flex-wrap gap-2.5">
          {may("security:read") && (
            <ButtonLink to="/security-settings">Security settings</ButtonLink>
          )}
          <ButtonLink to="/model-prices">Model prices</ButtonLink>
          {may("audit_log:read") && <ButtonLink to="/audit-log">Audit log</ButtonLink>}
          {may("system:read") && <ButtonLink to="/system">System</ButtonLink>}
        </div>
      </Section>
    </div>
  );
}

function GroupTagForm({ name }: { name: string | null }) {
  const mayChange = useMay()("organization:write");
  const change = useChangeForm(useUpdateOrganization(), {
    values: { billing_group_tag: name ?? "" },
    toInput: ({ billing_group_tag: tag }) => ({ body: { billing_group_tag: tag.trim() || null } }),
    toast: "Cost centre saved",
  });
  const { form } = change;
  const entered = form.watch("billing_group_tag").trim() || null;
  const laptops = useActiveLaptops({}, { isEnabled: entered !== name });
  return (
    <SettingForm change={change} action="Save tag" mayChange={mayChange}>
      <Field
        label="Tag name"
        hint="The chosen tag replaces that of the workspace or key. Empty: people choose none."
        error={form.formState.errors.billing_group_tag?.message}
      >
        {(control) => (
          <Input {...control} placeholder="cost_center" {...form.register("billing_group_tag")} />
        )}
      </Field>
      <Consequences
        sentences={describeTagChange({
          before: name,
          after: entered,
          laptops: laptops.data?.items.length,
        })}
        counts={[laptops]}
      />
    </SettingForm>
  );
}

/** Claude Code shows no more. */
const MAX_NOTICE_LENGTH = 500;

function LoginNoticeForm({ notice }: { notice: string | null }) {
  const mayChange = useMay()("organization:write");
  const change = useChangeForm(useUpdateOrganization(), {
    values: { login_notice: notice ?? "" },
    toInput: ({ login_notice: text }) => ({ body: { login_notice: text.trim() || null } }),
    toast: "Notice saved",
  });
  const { form } = change;
  return (
    <SettingForm change={change} action="Save notice" mayChange={mayChange}>
      <Field
        label="Notice"
        hint={`One line, up to ${MAX_NOTICE_LENGTH} characters. Empty: Claude Code shows none.`}
        error={form.formState.errors.login_notice?.message}
      >
        {(control) => (
          <Input
            {...control}
            maxLength={MAX_NOTICE_LENGTH}
            placeholder="Activity is recorded. Questions: it@example.com"
            {...form.register("login_notice")}
          />
        )}
      </Field>
    </SettingForm>
  );
}

function NameForm({ name }: { name: string }) {
  const mayChange = useMay()("organization:write");
  const change = useChangeForm(useUpdateOrganization(), {
    values: { name },
    toInput: (body) => ({ body }),
    toast: "Company renamed",
  });
  const { form } = change;
  return (
    <SettingForm change={change} action="Rename company" mayChange={mayChange}>
      <Field label="Company" error={form.formState.errors.name?.message}>
        {(control) => <Input {...control} {...form.register("name", needed("Enter a name."))} />}
      </Field>
    </SettingForm>
  );
}
