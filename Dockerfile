# The gateway, with its settings in /etc/tess/gateway.toml; see docs/gateway.md and compose.yaml.
FROM python:3.13-slim

WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY tess_openai ./tess_openai
RUN pip install --no-cache-dir --no-compile ".[gateway,emulate]" && rm -rf /build

WORKDIR /etc/tess
RUN useradd --system --no-create-home tess
USER tess
EXPOSE 8484
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8484/healthz', timeout=4)"]
ENTRYPOINT ["tess-openai", "serve"]
CMD ["--config", "gateway.toml", "--host", "0.0.0.0", "--port", "8484"]
