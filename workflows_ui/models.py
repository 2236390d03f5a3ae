"""The features' models, imported so that Django finds them."""

import workflows_ui.accounts.models
import workflows_ui.alarms.models
import workflows_ui.audit.models
import workflows_ui.core.models
import workflows_ui.credentials.models
import workflows_ui.deleted_objects.models
import workflows_ui.failure_rules.models
import workflows_ui.failures.models
import workflows_ui.flow_editing.models
import workflows_ui.jobs.models
import workflows_ui.launch_forms.models
import workflows_ui.launches.models
import workflows_ui.members.models
import workflows_ui.notes.models
import workflows_ui.notifications.models
import workflows_ui.run_index.models
import workflows_ui.saved_views.models
import workflows_ui.unclear_writes.models  # noqa: F401
