# Gateway, action server and scheduler. Build from the project's folder: docker build -f deploy/app.Dockerfile .
FROM python:3.12-slim
COPY --from=ghcr.io/astral-sh/uv:latest /uv /usr/local/bin/uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy PYTHONUNBUFFERED=1 PATH=/app/.venv/bin:$PATH
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev --no-install-project
COPY domain.yml ./
COPY actions actions
COPY analytics analytics
COPY crm crm
COPY data data
COPY demo demo
COPY desk desk
COPY gateway gateway
RUN uv sync --frozen --no-dev && useradd --system desk && install -d -o desk var models
RUN python -c "from desk import sentiment; sentiment.train()" && chown -R desk models
USER desk
EXPOSE 8000
CMD ["desk", "up", "--only", "gateway"]
