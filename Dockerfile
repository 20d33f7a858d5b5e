# What .dockerignore lets through, with the locked packages: any process of Lockstep, as a user without rights.
FROM python:3.11.14-slim-bookworm AS build
ENV PYTHONDONTWRITEBYTECODE=1 STATIC_DIR=/app/collected
COPY requirements/base.txt /build/base.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /build/base.txt
WORKDIR /app
COPY . .
RUN /opt/venv/bin/python manage.py collectstatic --noinput

FROM python:3.11.14-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_DIR=/app/collected STATE_DIR=/tmp/lockstep
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# By number, so that an orchestrator sees that it is not root. Nothing but /tmp is written to.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "-c", "python:portal.deployment.web_server", "portal.wsgi", "--bind", "0.0.0.0:8000"]
