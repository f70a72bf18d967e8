"""Container images for deployments."""

from prefect.docker.docker_image import DockerImage

__all__ = ["DockerImage"]
