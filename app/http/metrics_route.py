"""`GET /metrics`, for Prometheus."""

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.telemetry.metrics import Metrics


def metrics_routes(metrics: Metrics) -> list[BaseRoute]:
    """The route; whoever may reach the port may read it."""

    async def show(_request: Request) -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/metrics", show, methods=["GET"])]
