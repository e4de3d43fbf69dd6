"""What every connection answers beside its edges."""

from typing import Any

from strawberry import Parent

from domain.platform.paging import Page


async def total_count(page: Parent[Page[Any]]) -> int:
    return await page.count()
