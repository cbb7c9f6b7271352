# Rasa with the trained model inside. Build from the project's folder: docker build -f deploy/rasa.Dockerfile .
FROM python:3.10-slim
COPY --from=ghcr.io/astral-sh/uv:latest /uv /usr/local/bin/uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy PYTHONUNBUFFERED=1 PATH=/app/bot/.venv/bin:$PATH
COPY bot/pyproject.toml bot/uv.lock bot/
RUN uv sync --frozen --no-dev --project bot
COPY config.yml domain.yml endpoints.yml credentials.yml ./
COPY data data
COPY bot bot
RUN python -m bot train && useradd --system desk && install -d -o desk var
USER desk
EXPOSE 5005
CMD ["python", "-m", "bot", "serve", "--host", "0.0.0.0"]
