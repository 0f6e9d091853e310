"""Asks the running service, not a mock of it."""

import json
import os
import urllib.request

URL = os.environ.get("SHOP_URL", "http://localhost:8080")


def answer():
    with urllib.request.urlopen(URL + "/health", timeout=5) as response:
        return response.status, json.load(response)


def test_service_is_healthy():
    status, body = answer()
    assert status == 200
    assert body["status"] == "healthy"


def test_checkout_names_its_revision():
    assert answer()[1]["revision"]
