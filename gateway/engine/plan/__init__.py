"""Operations compiled to Python: `PlannedExecutor` executes them as graphql-core would, and much faster."""

from gateway.engine.plan.executor import PlannedExecutor
from gateway.engine.plan.plan import Plans, Statistics

__all__ = ["PlannedExecutor", "Plans", "Statistics"]
