"""The Django project. Imports the Celery application, so that tasks use its broker."""

from console.celery import app as celery_app

__all__ = ["celery_app"]
