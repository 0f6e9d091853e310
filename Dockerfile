# SPDX-License-Identifier: Apache-2.0
# The daemon with the commands it needs itself. Suites and deploys need more: extend this image,
#
#   FROM nightjar
#   USER root
#   RUN apt-get update && apt-get install -y --no-install-recommends python3-pytest && rm -rf /var/lib/apt/lists/*
#   USER nightjar
#
# The stages must be the same Debian release: a binary that was linked against a newer glibc does not start.

FROM swift:6.3-bookworm AS build
WORKDIR /source
COPY . .
# PREBUILT names a binary inside the build context to take instead of compiling; the image check uses it.
ARG PREBUILT=
RUN mkdir -p /out \
    && if [ -n "$PREBUILT" ]; then \
           install -m 0755 "$PREBUILT" /out/nightjar; \
       else \
           swift build -c release --static-swift-stdlib --product nightjar \
           && strip -o /out/nightjar "$(swift build -c release --static-swift-stdlib --show-bin-path)/nightjar"; \
       fi

FROM debian:bookworm-slim
# git: revisions, worktrees, last green. curl and ca-certificates: HTTPS checks and notifications. openssl: TLS sockets
# and certificate probes. openssh-client: git over ssh, and most deploys. libstdc++6: the Swift runtime.
# The user has no password, no shell to log in with, and an id that a volume's owner can be set to.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl git libstdc++6 openssh-client openssl \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 nightjar \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/nightjar --no-create-home --shell /usr/sbin/nologin nightjar \
    && install -d -m 0700 -o nightjar -g nightjar /var/lib/nightjar \
    && install -d -m 0755 /etc/nightjar
COPY --from=build /out/nightjar /usr/local/bin/nightjar
COPY LICENSE /usr/local/share/doc/nightjar/LICENSE

# A crash must end with a core-less, prompt death that the next start recovers from, not in a backtracer that hangs.
ENV HOME=/var/lib/nightjar SWIFT_BACKTRACE=enable=no
WORKDIR /var/lib/nightjar
# All state: journals, evidence, worktrees. Without a volume every new container starts from cycle 1.
VOLUME /var/lib/nightjar
USER 10001:10001

# As PID 1 the binary only reaps orphans and forwards signals; the daemon is its child. `docker run IMAGE check …` runs
# any other subcommand the same way.
ENTRYPOINT ["/usr/local/bin/nightjar", "__init", "/usr/local/bin/nightjar"]
CMD ["run", "--config", "/etc/nightjar/nightjar.json5", "--state", "/var/lib/nightjar"]

# The daemon has up to 60 s to let a deploy finish: give `docker stop` 90 (--time 90, or stop_grace_period).
STOPSIGNAL SIGTERM

# Healthy means that the daemon is alive and its loop moves; what the loop says about staging is no matter of this.
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/nightjar", "status", "--check", "--state", "/var/lib/nightjar"]
