# The operator's image: one static binary on nothing. `make image` builds it with docker or podman where an engine
# answers, and with buildah without a daemon elsewhere.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Static without musl: glibc is linked in, and nothing here looks up users or loads plugins.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN cargo build --locked --release --target x86_64-unknown-linux-gnu --bin govcloud-operator \
 && install -D target/x86_64-unknown-linux-gnu/release/govcloud-operator /out/govcloud-operator

FROM scratch
LABEL org.opencontainers.image.title="govcloud-operator" \
      org.opencontainers.image.description="The operator that makes a government cloud keep its own rules" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/govcloud-operator /govcloud-operator
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/govcloud-operator"]
