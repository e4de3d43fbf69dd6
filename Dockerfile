# The server for production. Three stages; the last has no compiler, no Node, no package manager, and no root.

FROM node:22-slim AS pages
WORKDIR /src/web/graphiql
COPY web/graphiql/package.json web/graphiql/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/graphiql ./
RUN npm run build

FROM python:3.13-slim AS build
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /src
COPY pyproject.toml requirements.lock ./

# Everything of the lock, to convert the model once. These weights are the largest part of it and stay behind.
RUN uv venv -q /opt/tools && uv pip sync -q --python /opt/tools --require-hashes requirements.lock
COPY domain domain
RUN /opt/tools/bin/python -m domain.platform.minilm /opt/models && mv /opt/models/*/ /opt/model

# What runs: the lock as constraints, which pins versions and hashes alike, so nothing else can come in.
COPY gateway gateway
COPY schema schema
COPY subscriptions subscriptions
COPY resolvers resolvers
COPY loaders loaders
COPY migrations migrations
COPY README.md LICENSE ./
COPY --from=pages /src/gateway/pages/graphiql gateway/pages/graphiql
RUN /opt/tools/bin/hatchling build -t wheel -d /opt/wheel \
    && uv venv -q /opt/venv \
    && uv pip install -q --python /opt/venv --only-binary :all: --constraints requirements.lock \
        --requirements pyproject.toml --extra kafka \
    && uv pip install -q --python /opt/venv --no-deps /opt/wheel/*.whl \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM python:3.13-slim
RUN pip uninstall -q -y pip \
    && useradd --system --uid 10001 --home-dir /var/lib/media-gateway --create-home gateway
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/model /opt/model
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MEDIA_GATEWAY_MODE=production \
    MEDIA_GATEWAY_HOST=0.0.0.0 \
    MEDIA_GATEWAY_PORT=8000 \
    MEDIA_GATEWAY_DATA_DIR=/var/lib/media-gateway \
    MEDIA_GATEWAY_ENCODER_DIR=/opt/model
WORKDIR /var/lib/media-gateway
USER 10001
EXPOSE 8000
# The port may be set otherwise; the slim image has no curl.
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s CMD ["python", "-c", "\
import os, urllib.request as web; \
web.urlopen('http://127.0.0.1:' + os.environ['MEDIA_GATEWAY_PORT'] + '/livez', timeout=2)"]
ENTRYPOINT ["media-gateway"]
CMD ["serve"]
