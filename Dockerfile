# Model Manager: one image for web, worker and migrations. Not built on the machine it was written on (no engine there).
FROM python:3.12-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends default-libmysqlclient-dev pkg-config build-essential \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv
COPY requirements.txt requirements-embedded.txt ./
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt && /venv/bin/pip check

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home modelmanager \
    && install --directory --owner=modelmanager --mode=0700 /data
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data \
    DJANGO_SETTINGS_MODULE=modelmanager.settings
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py gunicorn.conf.py ./
COPY modelmanager modelmanager
COPY models_registry models_registry
COPY usage usage
COPY monitoring monitoring
COPY templates templates
COPY locale locale
USER modelmanager
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "-c", "gunicorn.conf.py", "modelmanager.wsgi:application"]
