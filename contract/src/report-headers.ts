/** Headers of every route with `isReport`. */
export const reportHeaders = {
  dataAsOf: "bursar-data-as-of",
  replicaLagSeconds: "bursar-replica-lag-seconds",
} as const;
