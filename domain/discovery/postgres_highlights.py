"""Marking the words of a query in the texts of a page."""

import re

from domain.discovery.model import Highlight, HighlightField, HighlightFragment

# Of the private use area, taken out of the texts first, so that a mark is always ours.
START, STOP, GAP = "\ue000", "\ue001", "\ue002"
MARKS = START + STOP + GAP
WINDOW = (
    f'StartSel="{START}", StopSel="{STOP}", FragmentDelimiter="{GAP}", '
    "MaxFragments=2, MaxWords=24, MinWords=8, ShortWord=0"
)
WHOLE = f'StartSel="{START}", StopSel="{STOP}", HighlightAll=true'

HEADLINES = f"""
SELECT c.id,
       ts_headline(configuration, translate(c.title, '{MARKS}', ''), asked.query, '{WHOLE}') AS title,
       ts_headline(configuration, translate(coalesce(c.synopsis, ''), '{MARKS}', ''), asked.query, '{WINDOW}')
           AS synopsis
  FROM content c
  JOIN (SELECT language, query::tsquery
          FROM unnest($2::text[], $3::text[]) AS term (language, query)) AS asked
    ON asked.language = c.text_language
  LEFT JOIN unnest($4::text[], $5::text[]) AS known (language, name)
    ON known.language = lower(split_part(c.text_language, '-', 1))
 CROSS JOIN LATERAL (SELECT coalesce(known.name, 'simple')::regconfig AS configuration) AS stemmer
 WHERE c.id = ANY($1::bigint[])"""


def marked(field: HighlightField, text: str) -> Highlight | None:
    """A text with marks as fragments, nothing where none is in it; gaps read as an ellipsis."""
    if START not in text:
        return None
    pieces = re.split(f"({START}[^{STOP}]*{STOP})", text.replace(GAP, " … "))
    return Highlight(
        field,
        tuple(
            HighlightFragment(piece.strip(START + STOP), matched=piece.startswith(START))
            for piece in pieces
            if piece
        ),
    )
