"""Both ends of the supported range of PostgreSQL: the oldest runs the main job too, where its programs exist."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from creditplatform.core.identity import make_credit_code
from creditplatform.embedded import ephemeral

ROOT = Path(__file__).resolve().parents[2]
OLDEST = Path("/usr/lib/postgresql/15/bin")


SET_UP = """
call_command("init_keyring", verbosity=0)
call_command("migrate", verbosity=0)
call_command("grant_application_role", "credit_app")
call_command("load_policy")
"""
INGEST = """
call_command("ingest_feed", "ecommerce-dishonesty", sys.argv[1], json=True)
call_command("ingest_feed", "ecommerce-dishonesty", sys.argv[1], json=True)
"""


def run(environment, script, *words):
    start = "import sys, django; from django.core.management import call_command; django.setup()\n"
    done = subprocess.run(
        [sys.executable, "-c", start + script, *words],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "creditplatform.settings"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"batch"')]


@pytest.mark.skipif(not (OLDEST / "postgres").exists(), reason="PostgreSQL 15 is not installed here")
def test_the_oldest_supported_postgres_runs_the_main_job(tmp_path):
    file = tmp_path / "list.csv"
    with file.open("w", encoding="gb18030", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["企业名称", "工商注册号", "组织机构代码", "统一信用代码", "失信领域"])
        code = make_credit_code("91620100", "MA700001")
        writer.writerow(
            ["兰州示例电子商务有限公司（虚构）", "620100000000017", "", code, "失信被执行人名单、工商吊销企业名单"]
        )
    with ephemeral(bin_dir=OLDEST) as services:
        environment = {**os.environ, **services.environment, "CREDIT_VAR": str(tmp_path), "CREDIT_MODE": "development"}
        run(environment, SET_UP)
        environment["DATABASE_URL"] = services.application_url
        receipt, again = run(environment, INGEST, str(file))
    assert (receipt["received"], receipt["accepted"]) == (1, 1)
    assert (again["received"], again["unchanged"]) == (1, 1)
