"""Security policies about components: baselines and advisories. Pure; every room may import it."""

from processors.policies.document import NO_POLICIES, Advisory, Policies, SecurityPolicy

__all__ = ["NO_POLICIES", "Advisory", "Policies", "SecurityPolicy"]
