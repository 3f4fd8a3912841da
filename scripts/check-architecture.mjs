// Runs dependency-cruiser over the sources and fails on any broken rule, and also when it read
// too few modules: a cruiser that cannot parse TypeScript reads none and would pass.
import { cruise } from "dependency-cruiser";
import config from "../.dependency-cruiser.cjs";

const MINIMUM_MODULES = 50;

const { output } = await cruise(["contract/src", "server/src", "console/src"], {
  ...config.options,
  ruleSet: { forbidden: config.forbidden },
  validate: true,
});
const { totalCruised, violations } = output.summary;
for (const { rule, from, to } of violations) console.error(`${rule.name}: ${from} -> ${to}`);
if (totalCruised < MINIMUM_MODULES) {
  console.error(
    `Only ${totalCruised} modules were read; at least ${MINIMUM_MODULES} are expected.`,
  );
}
const ok = violations.length === 0 && totalCruised >= MINIMUM_MODULES;
console.log(`architecture: ${totalCruised} modules, ${violations.length} violations`);
process.exit(ok ? 0 : 1);
