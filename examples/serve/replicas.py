"""The same service with replicas on Ray Serve: serve run replicas:service."""

import os

from app import app
from ray import serve


@serve.deployment(
    num_replicas=int(os.environ.get("REPLICAS", "2")),
    max_ongoing_requests=64,  # of a replica; more wait in Serve's own queue
    graceful_shutdown_timeout_s=30,  # for the answers under way
    ray_actor_options={"num_cpus": float(os.environ.get("CPUS_PER_REPLICA", "1"))},
)
@serve.ingress(app)
class Service:
    """Its routes and its lifespan are the app's: each replica has a model and a queue."""


service = Service.bind()
