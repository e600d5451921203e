# Garage as its makers build it, beside a shell, and with a folder that nobody (65534) may write: a new volume takes its owner from the image.
FROM dxflrs/garage:v2.3.0 AS garage
FROM debian:bookworm-slim
COPY --from=garage /garage /usr/local/bin/garage
RUN install -d -o 65534 -g 65534 /var/lib/garage
USER 65534:65534
ENTRYPOINT ["garage"]
CMD ["server", "--single-node", "--default-bucket"]
