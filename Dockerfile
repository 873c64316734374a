# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock requirements-fonts.lock ./
RUN python -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.lock -r requirements-fonts.lock

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1 CREDIT_VAR=/var/lib/credit
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends fonts-hanazono && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/credit --create-home --shell /usr/sbin/nologin credit \
 && install -d -o credit -g credit -m 0700 /var/lib/credit/keys /var/lib/credit/files /var/lib/credit/static
COPY --from=packages /opt/venv /opt/venv
COPY . /srv/creditplatform
WORKDIR /srv/creditplatform
# Message catalogues are part of the image; building them needs neither a database nor a secret.
RUN CREDIT_MODE=development CREDIT_VAR=/tmp/build python manage.py compile_catalogues && rm -rf /tmp/build
USER credit
EXPOSE 8000
CMD ["gunicorn", "creditplatform.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", \
     "--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
