FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIR=/var/lib/lockstep
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements/base.txt
COPY . .
RUN useradd --system --home "$STATE_DIR" lockstep \
    && install -d -o lockstep -m 0700 "$STATE_DIR" \
    && su lockstep -s /bin/sh -c "python manage.py collectstatic --noinput"
USER lockstep
EXPOSE 8000
CMD ["gunicorn", "-c", "python:portal.deployment.web_server", "portal.wsgi", "--bind", "0.0.0.0:8000"]
