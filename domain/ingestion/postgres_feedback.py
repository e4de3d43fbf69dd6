"""Imported ratings as the reactions of pseudonymous accounts."""

from collections.abc import Sequence

from domain.ingestion.accounts import clock
from domain.ingestion.model import Feedback, Refusal
from domain.ingestion.service import Written
from domain.platform.sessions import Session

DEVICE = "import"
"""Stands where a write names its device; it sorts after the digits and before most letters of real ones."""

CREATE = """
CREATE TEMP TABLE incoming_reaction (
    place int, account_id text, display_name text, source text, value text, stars float8, hlc bigint,
    at timestamptz) ON COMMIT DROP"""

INSERT_ACCOUNTS = """
INSERT INTO account (id, display_name, created_at)
SELECT account_id::uuid, min(display_name), min(at) FROM incoming_reaction GROUP BY account_id
 ORDER BY account_id
ON CONFLICT DO NOTHING"""

# Two ids of a source may be one work here: the latest verdict counts.
INSERT_REACTIONS = f"""
INSERT INTO reaction (account_id, content_id, stars, hlc, hlc_device, updated_at)
SELECT DISTINCT ON (i.account_id, e.content_id)
       i.account_id::uuid, e.content_id, i.stars, i.hlc, '{DEVICE}', i.at
  FROM incoming_reaction i JOIN external_id e USING (source, value)
 ORDER BY i.account_id, e.content_id, i.hlc DESC, i.place DESC
ON CONFLICT (account_id, content_id)
DO UPDATE SET verdict = NULL, stars = excluded.stars, hlc = excluded.hlc, hlc_device = excluded.hlc_device,
              updated_at = excluded.updated_at
 WHERE (reaction.hlc, reaction.hlc_device) < (excluded.hlc, excluded.hlc_device)"""

HOMELESS = """
SELECT place FROM incoming_reaction i
 WHERE NOT EXISTS (SELECT FROM external_id e WHERE e.source = i.source AND e.value = i.value)
 ORDER BY place"""


async def put_feedback(session: Session, feedback: Sequence[Feedback]) -> Written:
    """Refuses what is about works the catalogue does not have."""
    await session.execute(CREATE)
    await session.copy_records_to_table(
        "incoming_reaction",
        records=[
            (
                place, item.account_id, item.display_name, item.external_id.source, item.external_id.value,
                item.stars, clock(item.at), item.at,
            )
            for place, item in enumerate(feedback)
        ],
    )  # fmt: skip
    homeless = [feedback[row[0]] for row in await session.fetch(HOMELESS)]
    await session.execute(INSERT_ACCOUNTS)
    await session.execute(INSERT_REACTIONS)
    return Written(
        feedback=len(feedback) - len(homeless), refused=tuple(_homeless(item) for item in homeless)
    )


def _homeless(item: Feedback) -> Refusal:
    source, value = item.external_id.source, item.external_id.value
    return Refusal(item.origin.file, item.origin.line, "movieId", f"{source} {value} is not known")
