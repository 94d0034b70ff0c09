# Read-only but for /data and /tmp: docker run --read-only --tmpfs /tmp -v ...:/data -v ...:/mappings:ro
FROM python:3.13.7-slim-bookworm

RUN useradd --system --uid 10001 --home-dir /data bridge \
    && install -d -o bridge -g bridge /data

WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-compile --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
# Compiled now: the one who runs it may not write here.
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && python -m compileall -q /usr/local/lib/python3.13/site-packages

# No mapping comes with the image: the sample's invented people must never reach an Okta by accident.
ENV BRIDGE_MAPPINGS=/mappings \
    BRIDGE_DATABASE=sqlite:////data/bridge.db \
    BRIDGE_LISTEN=0.0.0.0:8080 \
    PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8080
USER bridge
# Whether SCIM is answered. A container of `bridge syncd` alone needs --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["bridge", "alive"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["bridge"]
CMD ["serve"]
