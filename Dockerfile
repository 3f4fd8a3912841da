# Image of the server with its production dependencies and the built console. Guide: docs/guides/container.md.

FROM node:26-trixie-slim AS manifests
WORKDIR /opt/bursar
COPY package.json package-lock.json .npmrc ./
COPY contract/package.json contract/
COPY server/package.json server/
COPY console/package.json console/

# Builds the console. None of its tools reach the image.
FROM manifests AS console
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY contract contract
COPY console console
COPY docs docs
RUN node scripts/build-console.mjs

# Collects the files that the server needs at run time.
FROM manifests AS server
RUN npm ci --ignore-scripts --omit=dev --workspace=@bursar/contract --workspace=@bursar/server
COPY LICENSE bursar ./
COPY scripts scripts
COPY contract contract
COPY server server
COPY --from=console /opt/bursar/console/dist console/dist
RUN node scripts/prepare-image.mjs && node scripts/link-postgres.mjs

FROM node:26-trixie-slim
LABEL org.opencontainers.image.title="Bursar" \
      org.opencontainers.image.description="The company desk for the Claude API" \
      org.opencontainers.image.licenses="Apache-2.0"
# PostgreSQL needs a user that has a name. npm and yarn are tools of the build.
RUN groupadd --gid 10001 bursar \
 && useradd --uid 10001 --gid bursar --home-dir /data --no-create-home --shell /usr/sbin/nologin bursar \
 && install --directory --owner=bursar --group=bursar --mode=0700 /data \
 && ln -s /opt/bursar/bursar /usr/local/bin/bursar \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /opt/yarn-* /usr/local/bin/yarn /usr/local/bin/yarnpkg
COPY --from=server /opt/bursar /opt/bursar
WORKDIR /opt/bursar
ENV BURSAR_HOST=0.0.0.0 \
    BURSAR_DATA_DIR=/data
USER 10001:10001
VOLUME /data
EXPOSE 8484
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["node", "scripts/check-health.mjs"]
CMD ["node", "--max-semi-space-size=8", "--v8-pool-size=1", "--heap-growing-percent=100", "server/src/main.ts", "start"]
