"""Operations that the stories share."""

FIND = """query ($slug: String!) { content(by: {slug: $slug}) {
  id title ... on Movie { runtimeSeconds } myProgress { positionSeconds completed } } }"""

REGISTER_DEVICE = """mutation ($name: String!, $kind: DeviceKind!) {
  registerDevice(input: {name: $name, kind: $kind}) { device { id online } userErrors { message } } }"""

ADD = """mutation ($content: ID!, $tag: ID) { addToWatchlist(input: {contentId: $content, tag: $tag}) {
  entry { content { title } tags } userErrors { message code } } }"""

START = """mutation ($content: ID!, $device: ID!) {
  startPlayback(input: {contentId: $content, deviceId: $device}) {
    session { id positionSeconds state links { kind url } } userErrors { message code } } }"""

REPORT = """mutation ($session: ID!, $position: Int!) {
  reportProgress(input: {sessionId: $session, positionSeconds: $position}) {
    progress { positionSeconds completed viewing } session { state } userErrors { message code } } }"""

PROGRESS = """mutation ($content: ID!, $position: Int!) {
  reportProgress(input: {contentId: $content, positionSeconds: $position}) {
    progress { positionSeconds } userErrors { message code } } }"""

CONTINUE = """{ viewer { continueWatching { nodes { content { title } positionSeconds } } syncCursor } }"""

FOLLOW_PROGRESS = """subscription ($content: ID, $after: String) {
  progress(contentId: $content, after: $after) { cursor
    progress { positionSeconds completed content { title } device { name } } } }"""

FOLLOW_CHANGES = """subscription ($after: String) { changes(after: $after) {
  __typename
  ... on ProgressChanged { cursor progress { positionSeconds } }
  ... on WatchlistChanged { cursor content { title } entry { tags } }
  ... on PlaybackChanged { cursor session { id state positionSeconds } }
  ... on DeviceChanged { cursor device { name online } } } }"""

SEARCH = """query ($query: String!) { search(query: $query, first: 5) {
  mode nodes { id title } correction { query } } }"""

RECOMMEND = """{ recommendations(first: 20) { edges { node { title } reasons {
  __typename text
  ... on BecauseWatched { content { title } }
  ... on SharedPerson { content { title } person { name } }
  ... on SharedTheme { content { title } } } } } }"""
