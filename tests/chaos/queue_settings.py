"""The console's settings, with a queue of the test's own: a RabbitMQ is shared, and knows no prefix."""

import os

from console.settings import *  # noqa: F403

CELERY_TASK_DEFAULT_QUEUE = os.environ["TEST_QUEUE"]
