"""The Django project: wiring only. Imports Celery's application so that tasks find their broker."""

from console.celery import app as celery_app

__all__ = ["celery_app"]
