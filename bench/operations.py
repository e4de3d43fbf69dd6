"""What the benchmark asks the graph."""

TYPENAME = "{ __typename }"

_FIELDS = """
  id title year
  genres { id name }
  credits(first: 8) { nodes { role character person { id name } } }
  availability { kind quality price { amount currency } platform { id name } }
"""

TITLE = f"query Title($slug: String!) {{ content(by: {{slug: $slug}}) {{ {_FIELDS} }} }}"

TITLES = f"query Titles($first: Int!) {{ contents(first: $first) {{ nodes {{ {_FIELDS} }} }} }}"

CURSOR = """query Cursor($first: Int!, $after: String) {
  contents(first: $first, after: $after) { pageInfo { endCursor } } }"""

VIEWER = """query Viewer { viewer {
  continueWatching(first: 20) { nodes { positionSeconds content { id title artwork { url } } } }
  watchlist(first: 20) { nodes { addedAt content { id title artwork { url } } } }
} }"""

HOME = """query Home { home { id title items(first: 20) { nodes { id title year artwork { url } } } } }"""

SEARCH = """query Search($query: String!, $mode: SearchMode!) {
  search(query: $query, mode: $mode, first: 20) {
    mode totalCount edges { score node { id title year genres { name } } } } }"""

FIND = "query Find($slug: String!) { content(by: {slug: $slug}) { id } }"

REPORT = """mutation Report($content: ID!, $position: Int!) {
  reportProgress(input: {contentId: $content, positionSeconds: $position}) { userErrors { message } } }"""

FOLLOW = "subscription Follow { progress { progress { positionSeconds } } }"

ROOT_FIELDS = '{ __type(name: "Query") { fields { name } } }'


def pages(count: int, shown: str = _FIELDS) -> str:
    """`TITLES` of several pages in one operation, or other fields of them.

    Each page is behind the cursor of a variable of its own.
    """
    declared = " ".join(f"$after{page}: String" for page in range(count))
    asked = " ".join(
        f"page{page}: contents(first: $first, after: $after{page}) {{ nodes {{ ...Shown }} }}"
        for page in range(count)
    )
    fragment = f"fragment Shown on Content {{ {shown} }}"
    return f"query Pages($first: Int!, {declared}) {{ {asked} }} {fragment}"
