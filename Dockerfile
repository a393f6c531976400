# One image with all programs of Duplex; compose.yaml says which one a container runs.

FROM node:20-bookworm AS node

FROM rust:1.95-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /src
COPY . .
ENV CARGO_TARGET_DIR=/target
RUN npm ci --prefix ui/web --no-audit --no-fund \
 && cargo run --locked -p xtask -- page \
 && cargo build --locked --release -p duplex -p duplex-edge -p duplex-projector -p duplex-runner -p duplex-sandbox

FROM debian:bookworm-slim
# git, and whatever the agent's own commands shall find; bubblewrap keeps them apart from everything else.
RUN apt-get update \
 && apt-get install -y --no-install-recommends bubblewrap ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 duplex \
 && install -d -o duplex -g duplex -m 700 /data
COPY --from=build \
     /target/release/duplex \
     /target/release/duplex-edge \
     /target/release/duplex-projector \
     /target/release/duplex-runner \
     /target/release/duplex-sandbox \
     /usr/local/bin/
USER duplex
WORKDIR /home/duplex
EXPOSE 7700
CMD ["duplex", "--help"]
