import { allowPersonalKeys } from "./keys.ts";
import type { Sample, Samples } from "./sample.ts";
import { bindCode, nextName, signInByCode, startSignIn } from "./subjects.ts";

const startOwnSignIn: Sample["prepareCaller"] = async (client) => ({
  ids: { user_code: await startSignIn(client) },
});
const bindOwnCode: Sample["prepareCaller"] = async (client) => ({
  ids: { user_code: await bindCode(client) },
});
const signInLaptop: Sample["prepareCaller"] = async (client, made, operator) => {
  await allowPersonalKeys(client, made, operator);
  return { ids: { laptop_id: await signInByCode(client, made.workspace_id) } };
};

const ofOwnLaptop = {
  needs: ["workspace_id"],
  prepareCaller: signInLaptop,
  callerIds: ["laptop_id"],
} as const satisfies Sample;

export const laptopSamples = {
  listLaptops: {},
  endLaptop: {},
  listOwnLaptops: {},
  renameOwnLaptop: { ...ofOwnLaptop, body: () => ({ name: nextName() }) },
  endOwnLaptop: ofOwnLaptop,
  getDeviceAuthorization: { prepareCaller: startOwnSignIn, callerIds: ["user_code"] },
  approveDeviceAuthorization: {
    needs: ["workspace_id"],
    body: ({ workspace_id }) => ({ workspace_id }),
    prepareCaller: async (client, made, operator) => {
      await allowPersonalKeys(client, made, operator);
      return { ids: { user_code: await bindCode(client) } };
    },
    callerIds: ["user_code"],
    audits: ["api_key.created"],
  },
  denyDeviceAuthorization: { prepareCaller: bindOwnCode, callerIds: ["user_code"] },
} satisfies Samples;
