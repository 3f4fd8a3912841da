/** Hosts of Slack's incoming webhooks, and of those in GovSlack. */
const SLACK_HOSTS = ["hooks.slack.com", "hooks.slack-gov.com"];

/**
 * Finds the fault of a Slack target, or null. `isListed`: the operator has listed its host, such as a chat server that
 * accepts Slack's messages.
 */
export function findSlackMistake(url: string, isListed: boolean): string | null {
  const { protocol, host } = new URL(url);
  const isSlack = protocol === "https:" && SLACK_HOSTS.includes(host);
  return isSlack || isListed
    ? null
    : "expected an address of https://hooks.slack.com or https://hooks.slack-gov.com. Other receivers are webhooks";
}
