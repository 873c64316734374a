"""The interface described by itself: OpenAPI and a page to read it, from our own host."""

from typing import Any

from drf_spectacular.contrib.django_oauth_toolkit import DjangoOAuthToolkitScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from creditplatform.core.permissions import anyone

ROOT = "/api/v1/"
DELIVERIES = f"{ROOT}feeds/"


def only_the_interface(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """The addresses for machine clients; data of public pages has its own description there."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(ROOT)]


def finished(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """What the library cannot be told: a summary of every call, and which bodies take no field but their own."""
    for path, calls in result["paths"].items():
        for call in calls.values():
            call["summary"] = _summary(call["description"])
            if not path.startswith(DELIVERIES):
                _close(call.get("requestBody", {}).get("content", {}), result["components"]["schemas"])
    return result


def _summary(description: str) -> str:
    """The first sentence, so that the list of calls can be read."""
    return description.partition("\n")[0].partition(". ")[0].rstrip(".")


def _close(part: Any, schemas: dict[str, Any]) -> None:
    """Say of every form within a body that it takes no other field."""
    if isinstance(part, list):
        part = dict(enumerate(part))
    if not isinstance(part, dict):
        return
    name = str(part.get("$ref", "")).rpartition("/")[2]
    if name in schemas and "properties" in schemas[name]:
        schemas[name]["additionalProperties"] = False
        _close(schemas[name]["properties"], schemas)
    for within in part.values():
        _close(within, schemas)


class TokenOfClient(DjangoOAuthToolkitScheme):  # type: ignore[no-untyped-call]  # a hook of the library without types
    """Every call asks for a token with the scopes of its view; the library knows only its own permissions."""

    priority = 1

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        """The scopes a token must bear."""
        return {self.name: [str(scope.value) for scope in auto_schema.view.scopes]}


class Schema(SpectacularAPIView):
    """OpenAPI 3; open to everybody, since it holds nothing but forms."""

    access_rule = staticmethod(anyone)
    authentication_classes = ()
    permission_classes = ()


class Docs(SpectacularSwaggerSplitView):
    """The same to read; its scripts and styles come from our own host as files, as the pages' policy asks."""

    template_name = "api/docs.html"

    access_rule = staticmethod(anyone)
    authentication_classes = ()
    permission_classes = ()
