# The operator's image: one static binary on nothing, for linux/amd64 and linux/arm64. `make image` builds it with docker
# or podman where an engine answers, and with buildah without a daemon elsewhere.
#
# The first stage runs on the architecture of the machine that builds, and compiles for that of the image.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:1.95-bookworm AS build
ARG TARGETARCH
WORKDIR /src
COPY image/binary image/binary
RUN image/binary --tools "$TARGETARCH"
COPY . .
RUN image/binary "$TARGETARCH" /out/govcloud-operator

FROM scratch
LABEL org.opencontainers.image.title="govcloud-operator" \
      org.opencontainers.image.description="The operator that makes a government cloud keep its own rules" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/govcloud-operator /govcloud-operator
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/govcloud-operator"]
