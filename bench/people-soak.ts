import { runPeopleRound } from "../server/test/harness/people-round.ts";
import { stopAllServers } from "../server/test/harness/server-process.ts";

const DEFAULT_PEOPLE = 500;
const PEOPLE_PER_GROUP = 12.5;
const REQUESTS_OF_PERSON = 200;
/** A thousand requests run at the same time. */
const PEOPLE_AT_ONCE = 5;

/** Prints the round as JSON. Returns the exit code. */
export async function soakPeople(args: readonly string[]): Promise<number> {
  const [peopleText = String(DEFAULT_PEOPLE), seedText] = args;
  const people = Number(peopleText);
  const seed = seedText === undefined ? Date.now() % 1_000_000 : Number(seedText);
  if (!Number.isInteger(people) || people < 1 || !Number.isInteger(seed)) {
    console.error("usage: npm run soak -- people [people] [seed]");
    return 2;
  }
  const groups = Math.ceil(people / PEOPLE_PER_GROUP);
  console.log(`${people} people in ${groups} groups, seed ${seed}`);
  const load = { requestsOfPerson: REQUESTS_OF_PERSON, peopleAtOnce: PEOPLE_AT_ONCE };
  try {
    console.log(JSON.stringify(await runPeopleRound({ people, groups, seed, ...load }), null, 2));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error : String(error));
    console.error(`repeat with: npm run soak -- people ${people} ${seed}`);
    return 1;
  } finally {
    await stopAllServers();
  }
}
