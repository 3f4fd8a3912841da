/** BURSAR_SECRET of test servers. A new installation refuses weak ones. */
export const TEST_SECRET = "tN4vQ8xW2cR7yB1mK5pZ9dF3hJ6gL0sA";
