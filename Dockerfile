FROM python:3.13-slim

RUN useradd --system --uid 10001 --home-dir /data bridge \
    && install -d -o bridge -g bridge /data

WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

# No mapping comes with the image: the sample's invented people must never reach an Okta by accident.
ENV BRIDGE_MAPPINGS=/mappings \
    BRIDGE_DATABASE=sqlite:////data/bridge.db \
    BRIDGE_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
USER bridge
ENTRYPOINT ["bridge"]
CMD ["serve"]
