"""Operations of the graph, typed. Written by `make client`; do not edit."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, cast

TITLES = """query Titles($first: Int!, $after: String, $filter: ContentFilter) {
  contents(first: $first, after: $after, filter: $filter) {
    nodes {
      ...Title
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
fragment Title on Content {
  __typename
  id
  title
  year
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
}"""

SEARCH = """query Search($query: String!, $first: Int!) {
  search(query: $query, first: $first) {
    edges {
      node {
        ...Title
      }
    }
  }
}
fragment Title on Content {
  __typename
  id
  title
  year
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
}"""

CONTENT = """query Content($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Content {
      title
      year
      artwork {
        kind
        url
      }
    }
    ...Lengths
  }
}
fragment Lengths on Content {
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
  ... on Episode {
    number
    runtimeSeconds
    endCreditsSeconds
    season {
      number
      series {
        title
      }
    }
  }
  ... on Track {
    durationSeconds
  }
}"""

PARTS = """query Parts($id: ID!) {
  node(id: $id) {
    __typename
    ... on Episode {
      season {
        series {
          seasons {
            episodes(first: 100) {
              nodes {
                id
              }
            }
          }
        }
      }
    }
    ... on Track {
      album {
        tracks {
          id
        }
      }
    }
  }
}"""

HOME = """query Home {
  home {
    id
    title
    items(first: 20) {
      nodes {
        ...Title
      }
    }
  }
}
fragment Title on Content {
  __typename
  id
  title
  year
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
}"""

CONTINUE_WATCHING = """query ContinueWatching($first: Int!) {
  viewer {
    continueWatching(first: $first) {
      nodes {
        positionSeconds
        durationSeconds
        content {
          ...Title
        }
      }
    }
  }
}
fragment Title on Content {
  __typename
  id
  title
  year
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
}"""

WATCHLIST = """query Watchlist($first: Int!, $after: String) {
  viewer {
    watchlist(first: $first, after: $after) {
      nodes {
        addedAt
        content {
          ...Title
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
fragment Title on Content {
  __typename
  id
  title
  year
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
}"""

SYNC_CURSOR = """query SyncCursor {
  viewer {
    syncCursor
  }
}"""

DEVICES = """query Devices {
  viewer {
    devices {
      ...OfDevice
    }
  }
}
fragment OfDevice on Device {
  id
  name
  kind
  online
  incognito
  activity
  nowPlaying {
    content {
      id
      title
    }
  }
  battery {
    level
    charging
  }
  networkQuality
}"""

PLAYBACK_SESSIONS = """query PlaybackSessions {
  viewer {
    playbackSessions(active: true) {
      id
      positionSeconds
      content {
        id
        title
      }
      device {
        id
      }
    }
  }
}"""

DEVICE_ITSELF = """query DeviceItself($id: ID!) {
  node(id: $id) {
    __typename
    ... on Device {
      incognito
      nowPlaying {
        id
      }
    }
  }
}"""

REGISTER_DEVICE = """mutation RegisterDevice($input: RegisterDeviceInput!) {
  registerDevice(input: $input) {
    device {
      id
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

SET_INCOGNITO = """mutation SetIncognito($input: SetIncognitoInput!) {
  setIncognito(input: $input) {
    device {
      incognito
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

HEARTBEAT = """mutation Heartbeat($input: HeartbeatInput!) {
  heartbeat(input: $input) {
    device {
      activity
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

PUSH_CHANGES = """mutation PushChanges($input: PushChangesInput!) {
  pushChanges(input: $input) {
    results {
      operationId
      fate
      userErrors {
        ...Refusal
      }
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

SEND_COMMAND = """mutation SendCommand($input: SendCommandInput!) {
  sendCommand(input: $input) {
    command {
      id
      state
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

ACKNOWLEDGE_COMMAND = """mutation AcknowledgeCommand($input: AcknowledgeCommandInput!) {
  acknowledgeCommand(input: $input) {
    command {
      state
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

START_PLAYBACK = """mutation StartPlayback($input: StartPlaybackInput!) {
  startPlayback(input: $input) {
    session {
      id
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

REPORT_PROGRESS = """mutation ReportProgress($input: ReportProgressInput!) {
  reportProgress(input: $input) {
    session {
      endReason
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

END_PLAYBACK = """mutation EndPlayback($input: EndPlaybackInput!) {
  endPlayback(input: $input) {
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

CONTINUE_ON = """mutation ContinueOn($input: ContinueOnInput!) {
  continueOn(input: $input) {
    command {
      id
    }
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

DEVICE_COMMANDS = """subscription DeviceCommands($device: ID!, $after: String) {
  deviceCommands(deviceId: $device, after: $after) {
    cursor
    command {
      id
      action
      arguments
      content {
        ...Title
        ...Lengths
      }
    }
  }
}
fragment Title on Content {
  __typename
  id
  title
  year
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
}
fragment Lengths on Content {
  ... on Movie {
    runtimeSeconds
    endCreditsSeconds
  }
  ... on Episode {
    number
    runtimeSeconds
    endCreditsSeconds
    season {
      number
      series {
        title
      }
    }
  }
  ... on Track {
    durationSeconds
  }
}"""

FOLLOW_COMMANDS = """subscription FollowCommands($after: String) {
  commands(after: $after) {
    cursor
    command {
      id
      action
      state
      failure
      device {
        id
      }
    }
  }
}"""

FOLLOW_DEVICES = """subscription FollowDevices {
  devices {
    cursor
    removed
    device {
      ...OfDevice
    }
  }
}
fragment OfDevice on Device {
  id
  name
  kind
  online
  incognito
  activity
  nowPlaying {
    content {
      id
      title
    }
  }
  battery {
    level
    charging
  }
  networkQuality
}"""

FOLLOW_CHANGES = """subscription FollowChanges($after: String, $snapshot: Boolean!) {
  changes(after: $after, snapshot: $snapshot) {
    __typename
    ... on ProgressChanged {
      cursor
      progress {
        ...OfProgress
      }
    }
    ... on ViewingWithdrawn {
      cursor
      content {
        id
      }
      viewing
    }
    ... on WatchlistChanged {
      cursor
      content {
        id
      }
      entry {
        ...OfEntry
      }
    }
    ... on ReactionChanged {
      cursor
      reaction {
        ...OfReaction
      }
    }
    ... on TitleMarksChanged {
      cursor
      marks {
        ...OfMarks
      }
    }
    ... on DeviceChanged {
      cursor
    }
    ... on DeviceCommandChanged {
      cursor
    }
    ... on PlaybackChanged {
      cursor
      session {
        id
        endReason
      }
    }
    ... on SnapshotBegan {
      cursor
    }
    ... on SnapshotEnded {
      cursor
    }
  }
}
fragment OfProgress on WatchProgress {
  content {
    id
  }
  viewing
  positionSeconds
  durationSeconds
  completed
  version
}
fragment OfEntry on WatchlistEntry {
  tags
  place
  version
}
fragment OfReaction on Reaction {
  content {
    id
  }
  verdict
  stars
  version
}
fragment OfMarks on TitleMarks {
  content {
    id
  }
  note
  dropped
  hidden
  version
}"""

FORGET_TITLE = """mutation ForgetTitle($input: ForgetTitleInput!) {
  forgetTitle(input: $input) {
    viewings
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

KEEP_HISTORY = """mutation KeepHistory($input: KeepHistoryInput!) {
  keepHistory(input: $input) {
    days
    userErrors {
      ...Refusal
    }
  }
}
fragment Refusal on UserError {
  message
  code
}"""

TitleOther = TypedDict(
    "TitleOther",
    {
        "__typename": Literal["Album", "Episode", "Season", "Series", "Track"],
        "id": str,
        "title": str,
        "year": int | None,
    },
)
TitleMovie = TypedDict(
    "TitleMovie",
    {
        "__typename": Literal["Movie"],
        "id": str,
        "title": str,
        "year": int | None,
        "runtimeSeconds": int | None,
        "endCreditsSeconds": int | None,
    },
)
Title: TypeAlias = TitleOther | TitleMovie
TitlesContentsPageInfo = TypedDict(
    "TitlesContentsPageInfo",
    {
        "hasNextPage": bool,
        "endCursor": str | None,
    },
)
TitlesContents = TypedDict(
    "TitlesContents",
    {
        "nodes": list[Title],
        "pageInfo": TitlesContentsPageInfo,
    },
)
TitlesData = TypedDict(
    "TitlesData",
    {
        "contents": TitlesContents,
    },
)
ContentKind: TypeAlias = Literal["MOVIE", "SERIES", "SEASON", "EPISODE", "ALBUM", "TRACK"]
OfferKind: TypeAlias = Literal["FREE", "SUBSCRIPTION", "RENTAL", "PURCHASE"]
MaturityRating: TypeAlias = Literal[
    "G", "TV_Y", "TV_G", "TV_Y7", "PG", "TV_PG", "PG_13", "TV_14", "R", "TV_MA", "NC_17", "NR"
]
ContentFilter = TypedDict(
    "ContentFilter",
    {
        "kinds": NotRequired[list[ContentKind] | None],
        "genres": NotRequired[list[str] | None],
        "platforms": NotRequired[list[str] | None],
        "offerKinds": NotRequired[list[OfferKind] | None],
        "region": NotRequired[str | None],
        "languages": NotRequired[list[str] | None],
        "countries": NotRequired[list[str] | None],
        "keywords": NotRequired[list[str] | None],
        "people": NotRequired[list[str] | None],
        "yearFrom": NotRequired[int | None],
        "yearTo": NotRequired[int | None],
        "minRuntimeSeconds": NotRequired[int | None],
        "maxRuntimeSeconds": NotRequired[int | None],
        "maturityRatings": NotRequired[list[MaturityRating] | None],
        "maxMaturityRating": NotRequired[MaturityRating | None],
    },
)
SearchSearchEdges = TypedDict(
    "SearchSearchEdges",
    {
        "node": Title,
    },
)
SearchSearch = TypedDict(
    "SearchSearch",
    {
        "edges": list[SearchSearchEdges],
    },
)
SearchData = TypedDict(
    "SearchData",
    {
        "search": SearchSearch,
    },
)
ContentNodeOther = TypedDict(
    "ContentNodeOther",
    {
        "__typename": Literal[
            "Account",
            "ApiKey",
            "Device",
            "DeviceCommand",
            "LoginSession",
            "Passkey",
            "Person",
            "PlaybackSession",
            "ViewingProfile",
        ],
        "id": str,
    },
)
ArtworkKind: TypeAlias = Literal["POSTER", "BACKDROP", "COVER"]
ContentNodeOther1Artwork = TypedDict(
    "ContentNodeOther1Artwork",
    {
        "kind": ArtworkKind,
        "url": str,
    },
)
ContentNodeOther1 = TypedDict(
    "ContentNodeOther1",
    {
        "__typename": Literal["Album", "Season", "Series"],
        "id": str,
        "title": str,
        "year": int | None,
        "artwork": list[ContentNodeOther1Artwork],
    },
)
ContentNodeEpisodeArtwork = TypedDict(
    "ContentNodeEpisodeArtwork",
    {
        "kind": ArtworkKind,
        "url": str,
    },
)
ContentNodeEpisodeSeasonSeries = TypedDict(
    "ContentNodeEpisodeSeasonSeries",
    {
        "title": str,
    },
)
ContentNodeEpisodeSeason = TypedDict(
    "ContentNodeEpisodeSeason",
    {
        "number": int,
        "series": ContentNodeEpisodeSeasonSeries,
    },
)
ContentNodeEpisode = TypedDict(
    "ContentNodeEpisode",
    {
        "__typename": Literal["Episode"],
        "id": str,
        "title": str,
        "year": int | None,
        "artwork": list[ContentNodeEpisodeArtwork],
        "number": int,
        "runtimeSeconds": int | None,
        "endCreditsSeconds": int | None,
        "season": ContentNodeEpisodeSeason,
    },
)
ContentNodeMovieArtwork = TypedDict(
    "ContentNodeMovieArtwork",
    {
        "kind": ArtworkKind,
        "url": str,
    },
)
ContentNodeMovie = TypedDict(
    "ContentNodeMovie",
    {
        "__typename": Literal["Movie"],
        "id": str,
        "title": str,
        "year": int | None,
        "artwork": list[ContentNodeMovieArtwork],
        "runtimeSeconds": int | None,
        "endCreditsSeconds": int | None,
    },
)
ContentNodeTrackArtwork = TypedDict(
    "ContentNodeTrackArtwork",
    {
        "kind": ArtworkKind,
        "url": str,
    },
)
ContentNodeTrack = TypedDict(
    "ContentNodeTrack",
    {
        "__typename": Literal["Track"],
        "id": str,
        "title": str,
        "year": int | None,
        "artwork": list[ContentNodeTrackArtwork],
        "durationSeconds": int | None,
    },
)
ContentNode: TypeAlias = (
    ContentNodeOther | ContentNodeOther1 | ContentNodeEpisode | ContentNodeMovie | ContentNodeTrack
)
ContentData = TypedDict(
    "ContentData",
    {
        "node": ContentNode | None,
    },
)
PartsNodeOther = TypedDict(
    "PartsNodeOther",
    {
        "__typename": Literal[
            "Account",
            "Album",
            "ApiKey",
            "Device",
            "DeviceCommand",
            "LoginSession",
            "Movie",
            "Passkey",
            "Person",
            "PlaybackSession",
            "Season",
            "Series",
            "ViewingProfile",
        ],
    },
)
PartsNodeEpisodeSeasonSeriesSeasonsEpisodesNodes = TypedDict(
    "PartsNodeEpisodeSeasonSeriesSeasonsEpisodesNodes",
    {
        "id": str,
    },
)
PartsNodeEpisodeSeasonSeriesSeasonsEpisodes = TypedDict(
    "PartsNodeEpisodeSeasonSeriesSeasonsEpisodes",
    {
        "nodes": list[PartsNodeEpisodeSeasonSeriesSeasonsEpisodesNodes],
    },
)
PartsNodeEpisodeSeasonSeriesSeasons = TypedDict(
    "PartsNodeEpisodeSeasonSeriesSeasons",
    {
        "episodes": PartsNodeEpisodeSeasonSeriesSeasonsEpisodes,
    },
)
PartsNodeEpisodeSeasonSeries = TypedDict(
    "PartsNodeEpisodeSeasonSeries",
    {
        "seasons": list[PartsNodeEpisodeSeasonSeriesSeasons],
    },
)
PartsNodeEpisodeSeason = TypedDict(
    "PartsNodeEpisodeSeason",
    {
        "series": PartsNodeEpisodeSeasonSeries,
    },
)
PartsNodeEpisode = TypedDict(
    "PartsNodeEpisode",
    {
        "__typename": Literal["Episode"],
        "season": PartsNodeEpisodeSeason,
    },
)
PartsNodeTrackAlbumTracks = TypedDict(
    "PartsNodeTrackAlbumTracks",
    {
        "id": str,
    },
)
PartsNodeTrackAlbum = TypedDict(
    "PartsNodeTrackAlbum",
    {
        "tracks": list[PartsNodeTrackAlbumTracks],
    },
)
PartsNodeTrack = TypedDict(
    "PartsNodeTrack",
    {
        "__typename": Literal["Track"],
        "album": PartsNodeTrackAlbum | None,
    },
)
PartsNode: TypeAlias = PartsNodeOther | PartsNodeEpisode | PartsNodeTrack
PartsData = TypedDict(
    "PartsData",
    {
        "node": PartsNode | None,
    },
)
HomeHomeItems = TypedDict(
    "HomeHomeItems",
    {
        "nodes": list[Title],
    },
)
HomeHome = TypedDict(
    "HomeHome",
    {
        "id": str,
        "title": str,
        "items": HomeHomeItems,
    },
)
HomeData = TypedDict(
    "HomeData",
    {
        "home": list[HomeHome],
    },
)
ContinueWatchingViewerContinueWatchingNodes = TypedDict(
    "ContinueWatchingViewerContinueWatchingNodes",
    {
        "positionSeconds": int,
        "durationSeconds": int,
        "content": Title | None,
    },
)
ContinueWatchingViewerContinueWatching = TypedDict(
    "ContinueWatchingViewerContinueWatching",
    {
        "nodes": list[ContinueWatchingViewerContinueWatchingNodes],
    },
)
ContinueWatchingViewer = TypedDict(
    "ContinueWatchingViewer",
    {
        "continueWatching": ContinueWatchingViewerContinueWatching,
    },
)
ContinueWatchingData = TypedDict(
    "ContinueWatchingData",
    {
        "viewer": ContinueWatchingViewer | None,
    },
)
WatchlistViewerWatchlistNodes = TypedDict(
    "WatchlistViewerWatchlistNodes",
    {
        "addedAt": str,
        "content": Title | None,
    },
)
WatchlistViewerWatchlistPageInfo = TypedDict(
    "WatchlistViewerWatchlistPageInfo",
    {
        "hasNextPage": bool,
        "endCursor": str | None,
    },
)
WatchlistViewerWatchlist = TypedDict(
    "WatchlistViewerWatchlist",
    {
        "nodes": list[WatchlistViewerWatchlistNodes],
        "pageInfo": WatchlistViewerWatchlistPageInfo,
    },
)
WatchlistViewer = TypedDict(
    "WatchlistViewer",
    {
        "watchlist": WatchlistViewerWatchlist,
    },
)
WatchlistData = TypedDict(
    "WatchlistData",
    {
        "viewer": WatchlistViewer | None,
    },
)
SyncCursorViewer = TypedDict(
    "SyncCursorViewer",
    {
        "syncCursor": str,
    },
)
SyncCursorData = TypedDict(
    "SyncCursorData",
    {
        "viewer": SyncCursorViewer | None,
    },
)
DeviceKind: TypeAlias = Literal["TV", "PHONE", "TABLET", "DESKTOP", "WEB"]
DeviceActivity: TypeAlias = Literal["OFFLINE", "IDLE", "BROWSING", "WATCHING"]
OfDeviceNowPlayingContent = TypedDict(
    "OfDeviceNowPlayingContent",
    {
        "id": str,
        "title": str,
    },
)
OfDeviceNowPlaying = TypedDict(
    "OfDeviceNowPlaying",
    {
        "content": OfDeviceNowPlayingContent | None,
    },
)
OfDeviceBattery = TypedDict(
    "OfDeviceBattery",
    {
        "level": float,
        "charging": bool,
    },
)
NetworkQuality: TypeAlias = Literal["POOR", "FAIR", "GOOD", "EXCELLENT"]
OfDevice = TypedDict(
    "OfDevice",
    {
        "id": str,
        "name": str,
        "kind": DeviceKind,
        "online": bool,
        "incognito": bool,
        "activity": DeviceActivity | None,
        "nowPlaying": OfDeviceNowPlaying | None,
        "battery": OfDeviceBattery | None,
        "networkQuality": NetworkQuality | None,
    },
)
DevicesViewer = TypedDict(
    "DevicesViewer",
    {
        "devices": list[OfDevice],
    },
)
DevicesData = TypedDict(
    "DevicesData",
    {
        "viewer": DevicesViewer | None,
    },
)
PlaybackSessionsViewerPlaybackSessionsContent = TypedDict(
    "PlaybackSessionsViewerPlaybackSessionsContent",
    {
        "id": str,
        "title": str,
    },
)
PlaybackSessionsViewerPlaybackSessionsDevice = TypedDict(
    "PlaybackSessionsViewerPlaybackSessionsDevice",
    {
        "id": str,
    },
)
PlaybackSessionsViewerPlaybackSessions = TypedDict(
    "PlaybackSessionsViewerPlaybackSessions",
    {
        "id": str,
        "positionSeconds": int,
        "content": PlaybackSessionsViewerPlaybackSessionsContent | None,
        "device": PlaybackSessionsViewerPlaybackSessionsDevice | None,
    },
)
PlaybackSessionsViewer = TypedDict(
    "PlaybackSessionsViewer",
    {
        "playbackSessions": list[PlaybackSessionsViewerPlaybackSessions],
    },
)
PlaybackSessionsData = TypedDict(
    "PlaybackSessionsData",
    {
        "viewer": PlaybackSessionsViewer | None,
    },
)
DeviceItselfNodeOther = TypedDict(
    "DeviceItselfNodeOther",
    {
        "__typename": Literal[
            "Account",
            "Album",
            "ApiKey",
            "DeviceCommand",
            "Episode",
            "LoginSession",
            "Movie",
            "Passkey",
            "Person",
            "PlaybackSession",
            "Season",
            "Series",
            "Track",
            "ViewingProfile",
        ],
    },
)
DeviceItselfNodeDeviceNowPlaying = TypedDict(
    "DeviceItselfNodeDeviceNowPlaying",
    {
        "id": str,
    },
)
DeviceItselfNodeDevice = TypedDict(
    "DeviceItselfNodeDevice",
    {
        "__typename": Literal["Device"],
        "incognito": bool,
        "nowPlaying": DeviceItselfNodeDeviceNowPlaying | None,
    },
)
DeviceItselfNode: TypeAlias = DeviceItselfNodeOther | DeviceItselfNodeDevice
DeviceItselfData = TypedDict(
    "DeviceItselfData",
    {
        "node": DeviceItselfNode | None,
    },
)
RegisterDeviceRegisterDeviceDevice = TypedDict(
    "RegisterDeviceRegisterDeviceDevice",
    {
        "id": str,
    },
)
UserErrorCode: TypeAlias = Literal[
    "INVALID",
    "NOT_FOUND",
    "CONFLICT",
    "UNAVAILABLE",
    "LIMIT_REACHED",
    "CREDENTIALS",
    "NOT_VERIFIED",
    "PIN_REQUIRED",
    "CLOCK_AHEAD",
]
Refusal = TypedDict(
    "Refusal",
    {
        "message": str,
        "code": UserErrorCode,
    },
)
RegisterDeviceRegisterDevice = TypedDict(
    "RegisterDeviceRegisterDevice",
    {
        "device": RegisterDeviceRegisterDeviceDevice | None,
        "userErrors": list[Refusal],
    },
)
RegisterDeviceData = TypedDict(
    "RegisterDeviceData",
    {
        "registerDevice": RegisterDeviceRegisterDevice,
    },
)
HdrFormat: TypeAlias = Literal["HDR10", "HDR10_PLUS", "DOLBY_VISION", "HLG"]
AudioFormat: TypeAlias = Literal["AAC", "AC3", "TRUE_HD", "ATMOS", "DTS_X"]
DeviceCapabilitiesInput = TypedDict(
    "DeviceCapabilitiesInput",
    {
        "maxQuality": NotRequired[str | None],
        "hdr": NotRequired[bool],
        "remoteControllable": NotRequired[bool],
        "canCast": NotRequired[bool],
        "screenInches": NotRequired[int | None],
        "missingApps": NotRequired[list[str] | None],
        "hdrFormats": NotRequired[list[HdrFormat] | None],
        "audioFormats": NotRequired[list[AudioFormat] | None],
    },
)
RegisterDeviceInput = TypedDict(
    "RegisterDeviceInput",
    {
        "name": str,
        "kind": DeviceKind,
        "platform": NotRequired[str | None],
        "capabilities": NotRequired[DeviceCapabilitiesInput | None],
        "deviceId": NotRequired[str | None],
        "appVersion": NotRequired[str | None],
    },
)
SetIncognitoSetIncognitoDevice = TypedDict(
    "SetIncognitoSetIncognitoDevice",
    {
        "incognito": bool,
    },
)
SetIncognitoSetIncognito = TypedDict(
    "SetIncognitoSetIncognito",
    {
        "device": SetIncognitoSetIncognitoDevice | None,
        "userErrors": list[Refusal],
    },
)
SetIncognitoData = TypedDict(
    "SetIncognitoData",
    {
        "setIncognito": SetIncognitoSetIncognito,
    },
)
SetIncognitoInput = TypedDict(
    "SetIncognitoInput",
    {
        "deviceId": str,
        "incognito": bool,
    },
)
HeartbeatHeartbeatDevice = TypedDict(
    "HeartbeatHeartbeatDevice",
    {
        "activity": DeviceActivity | None,
    },
)
HeartbeatHeartbeat = TypedDict(
    "HeartbeatHeartbeat",
    {
        "device": HeartbeatHeartbeatDevice | None,
        "userErrors": list[Refusal],
    },
)
HeartbeatData = TypedDict(
    "HeartbeatData",
    {
        "heartbeat": HeartbeatHeartbeat,
    },
)
BatteryInput = TypedDict(
    "BatteryInput",
    {
        "level": float,
        "charging": NotRequired[bool],
    },
)
HeartbeatInput = TypedDict(
    "HeartbeatInput",
    {
        "deviceId": str,
        "leaving": NotRequired[bool],
        "idleSeconds": NotRequired[int | None],
        "battery": NotRequired[BatteryInput | None],
        "networkQuality": NotRequired[NetworkQuality | None],
    },
)
OperationFate: TypeAlias = Literal["APPLIED", "SUPERSEDED", "REPEATED", "FORGOTTEN", "REFUSED"]
PushChangesPushChangesResults = TypedDict(
    "PushChangesPushChangesResults",
    {
        "operationId": str,
        "fate": OperationFate,
        "userErrors": list[Refusal],
    },
)
PushChangesPushChanges = TypedDict(
    "PushChangesPushChanges",
    {
        "results": list[PushChangesPushChangesResults],
        "userErrors": list[Refusal],
    },
)
PushChangesData = TypedDict(
    "PushChangesData",
    {
        "pushChanges": PushChangesPushChanges,
    },
)
WatchedInput = TypedDict(
    "WatchedInput",
    {
        "contentId": str,
        "viewing": NotRequired[int | None],
        "positionSeconds": int,
        "durationSeconds": NotRequired[int | None],
    },
)
AddedInput = TypedDict(
    "AddedInput",
    {
        "contentId": str,
        "tag": NotRequired[str | None],
    },
)
RemovedInput = TypedDict(
    "RemovedInput",
    {
        "contentId": str,
        "tags": NotRequired[list[str] | None],
    },
)
Verdict: TypeAlias = Literal["LIKE", "DISLIKE", "NOT_INTERESTED"]
ReactedInput = TypedDict(
    "ReactedInput",
    {
        "contentId": str,
        "verdict": NotRequired[Verdict | None],
        "stars": NotRequired[float | None],
    },
)
MovedInput = TypedDict(
    "MovedInput",
    {
        "contentId": str,
        "place": str,
    },
)
NotedInput = TypedDict(
    "NotedInput",
    {
        "contentId": str,
        "text": NotRequired[str | None],
    },
)
DroppedInput = TypedDict(
    "DroppedInput",
    {
        "contentId": str,
        "dropped": NotRequired[bool],
    },
)
HiddenInput = TypedDict(
    "HiddenInput",
    {
        "contentId": str,
        "hidden": NotRequired[bool],
    },
)
OperationChangeInput = TypedDict(
    "OperationChangeInput",
    {
        "watched": NotRequired[WatchedInput | None],
        "added": NotRequired[AddedInput | None],
        "removed": NotRequired[RemovedInput | None],
        "reacted": NotRequired[ReactedInput | None],
        "moved": NotRequired[MovedInput | None],
        "noted": NotRequired[NotedInput | None],
        "dropped": NotRequired[DroppedInput | None],
        "hidden": NotRequired[HiddenInput | None],
    },
)
OperationInput = TypedDict(
    "OperationInput",
    {
        "id": str,
        "version": str,
        "base": NotRequired[str | None],
        "change": OperationChangeInput,
    },
)
PushChangesInput = TypedDict(
    "PushChangesInput",
    {
        "deviceId": str,
        "operations": list[OperationInput],
        "settledThrough": NotRequired[str | None],
    },
)
CommandState: TypeAlias = Literal["QUEUED", "DELIVERED", "ACKNOWLEDGED", "EXECUTED", "FAILED", "EXPIRED"]
SendCommandSendCommandCommand = TypedDict(
    "SendCommandSendCommandCommand",
    {
        "id": str,
        "state": CommandState,
    },
)
SendCommandSendCommand = TypedDict(
    "SendCommandSendCommand",
    {
        "command": SendCommandSendCommandCommand | None,
        "userErrors": list[Refusal],
    },
)
SendCommandData = TypedDict(
    "SendCommandData",
    {
        "sendCommand": SendCommandSendCommand,
    },
)
NoArguments = TypedDict(
    "NoArguments",
    {
        "reason": NotRequired[str | None],
    },
)
Seek = TypedDict(
    "Seek",
    {
        "positionSeconds": int,
    },
)
SetVolume = TypedDict(
    "SetVolume",
    {
        "level": float,
    },
)
Load = TypedDict(
    "Load",
    {
        "contentId": str,
        "startSeconds": NotRequired[int],
    },
)
CastTo = TypedDict(
    "CastTo",
    {
        "deviceId": str,
    },
)
SetSubtitles = TypedDict(
    "SetSubtitles",
    {
        "language": NotRequired[str | None],
    },
)
SetAudio = TypedDict(
    "SetAudio",
    {
        "language": str,
    },
)
VideoQuality: TypeAlias = Literal["SD", "HD", "UHD"]
SetQuality = TypedDict(
    "SetQuality",
    {
        "quality": VideoQuality,
    },
)
Skip = TypedDict(
    "Skip",
    {
        "seconds": int,
    },
)
DeviceCommandInput = TypedDict(
    "DeviceCommandInput",
    {
        "play": NotRequired[NoArguments | None],
        "pause": NotRequired[NoArguments | None],
        "stop": NotRequired[NoArguments | None],
        "seek": NotRequired[Seek | None],
        "setVolume": NotRequired[SetVolume | None],
        "load": NotRequired[Load | None],
        "castTo": NotRequired[CastTo | None],
        "mute": NotRequired[NoArguments | None],
        "unmute": NotRequired[NoArguments | None],
        "next": NotRequired[NoArguments | None],
        "previous": NotRequired[NoArguments | None],
        "setSubtitles": NotRequired[SetSubtitles | None],
        "setAudio": NotRequired[SetAudio | None],
        "setQuality": NotRequired[SetQuality | None],
        "skip": NotRequired[Skip | None],
    },
)
SendCommandInput = TypedDict(
    "SendCommandInput",
    {
        "deviceId": str,
        "command": DeviceCommandInput,
        "expiresInSeconds": NotRequired[int],
    },
)
AcknowledgeCommandAcknowledgeCommandCommand = TypedDict(
    "AcknowledgeCommandAcknowledgeCommandCommand",
    {
        "state": CommandState,
    },
)
AcknowledgeCommandAcknowledgeCommand = TypedDict(
    "AcknowledgeCommandAcknowledgeCommand",
    {
        "command": AcknowledgeCommandAcknowledgeCommandCommand | None,
        "userErrors": list[Refusal],
    },
)
AcknowledgeCommandData = TypedDict(
    "AcknowledgeCommandData",
    {
        "acknowledgeCommand": AcknowledgeCommandAcknowledgeCommand,
    },
)
CommandReport: TypeAlias = Literal["ACKNOWLEDGED", "EXECUTED"]
AcknowledgeCommandInput = TypedDict(
    "AcknowledgeCommandInput",
    {
        "commandId": str,
        "failure": NotRequired[str | None],
        "report": NotRequired[CommandReport],
    },
)
StartPlaybackStartPlaybackSession = TypedDict(
    "StartPlaybackStartPlaybackSession",
    {
        "id": str,
    },
)
StartPlaybackStartPlayback = TypedDict(
    "StartPlaybackStartPlayback",
    {
        "session": StartPlaybackStartPlaybackSession | None,
        "userErrors": list[Refusal],
    },
)
StartPlaybackData = TypedDict(
    "StartPlaybackData",
    {
        "startPlayback": StartPlaybackStartPlayback,
    },
)
PlaybackQuality: TypeAlias = Literal["AUTO", "LOW", "MEDIUM", "HIGH", "ULTRA"]
StartPlaybackInput = TypedDict(
    "StartPlaybackInput",
    {
        "contentId": str,
        "deviceId": str,
        "platform": NotRequired[str | None],
        "positionSeconds": NotRequired[int | None],
        "durationSeconds": NotRequired[int | None],
        "quality": NotRequired[PlaybackQuality],
    },
)
PlaybackEnd: TypeAlias = Literal[
    "FINISHED",
    "STOPPED",
    "REPLACED",
    "HANDED_OVER",
    "SILENT",
    "NOT_ALLOWED",
    "FORGOTTEN",
    "INCOGNITO",
    "DEVICE_REMOVED",
]
ReportProgressReportProgressSession = TypedDict(
    "ReportProgressReportProgressSession",
    {
        "endReason": PlaybackEnd | None,
    },
)
ReportProgressReportProgress = TypedDict(
    "ReportProgressReportProgress",
    {
        "session": ReportProgressReportProgressSession | None,
        "userErrors": list[Refusal],
    },
)
ReportProgressData = TypedDict(
    "ReportProgressData",
    {
        "reportProgress": ReportProgressReportProgress,
    },
)
PlaybackState: TypeAlias = Literal["PLAYING", "PAUSED", "BUFFERING", "STOPPED", "ENDED"]
ReportProgressInput = TypedDict(
    "ReportProgressInput",
    {
        "sessionId": NotRequired[str | None],
        "contentId": NotRequired[str | None],
        "positionSeconds": int,
        "durationSeconds": NotRequired[int | None],
        "state": NotRequired[PlaybackState | None],
        "deviceId": NotRequired[str | None],
        "viewing": NotRequired[int | None],
        "version": NotRequired[str | None],
    },
)
EndPlaybackEndPlayback = TypedDict(
    "EndPlaybackEndPlayback",
    {
        "userErrors": list[Refusal],
    },
)
EndPlaybackData = TypedDict(
    "EndPlaybackData",
    {
        "endPlayback": EndPlaybackEndPlayback,
    },
)
EndPlaybackInput = TypedDict(
    "EndPlaybackInput",
    {
        "sessionId": str,
        "positionSeconds": NotRequired[int | None],
        "version": NotRequired[str | None],
    },
)
ContinueOnContinueOnCommand = TypedDict(
    "ContinueOnContinueOnCommand",
    {
        "id": str,
    },
)
ContinueOnContinueOn = TypedDict(
    "ContinueOnContinueOn",
    {
        "command": ContinueOnContinueOnCommand | None,
        "userErrors": list[Refusal],
    },
)
ContinueOnData = TypedDict(
    "ContinueOnData",
    {
        "continueOn": ContinueOnContinueOn,
    },
)
ContinueOnInput = TypedDict(
    "ContinueOnInput",
    {
        "sessionId": str,
        "deviceId": str,
        "positionSeconds": NotRequired[int | None],
        "commandId": NotRequired[str | None],
    },
)
DeviceCommandsDeviceCommandsCommandContentOther = TypedDict(
    "DeviceCommandsDeviceCommandsCommandContentOther",
    {
        "__typename": Literal["Album", "Season", "Series"],
        "id": str,
        "title": str,
        "year": int | None,
    },
)
DeviceCommandsDeviceCommandsCommandContentEpisodeSeasonSeries = TypedDict(
    "DeviceCommandsDeviceCommandsCommandContentEpisodeSeasonSeries",
    {
        "title": str,
    },
)
DeviceCommandsDeviceCommandsCommandContentEpisodeSeason = TypedDict(
    "DeviceCommandsDeviceCommandsCommandContentEpisodeSeason",
    {
        "number": int,
        "series": DeviceCommandsDeviceCommandsCommandContentEpisodeSeasonSeries,
    },
)
DeviceCommandsDeviceCommandsCommandContentEpisode = TypedDict(
    "DeviceCommandsDeviceCommandsCommandContentEpisode",
    {
        "__typename": Literal["Episode"],
        "id": str,
        "title": str,
        "year": int | None,
        "number": int,
        "runtimeSeconds": int | None,
        "endCreditsSeconds": int | None,
        "season": DeviceCommandsDeviceCommandsCommandContentEpisodeSeason,
    },
)
DeviceCommandsDeviceCommandsCommandContentMovie = TypedDict(
    "DeviceCommandsDeviceCommandsCommandContentMovie",
    {
        "__typename": Literal["Movie"],
        "id": str,
        "title": str,
        "year": int | None,
        "runtimeSeconds": int | None,
        "endCreditsSeconds": int | None,
    },
)
DeviceCommandsDeviceCommandsCommandContentTrack = TypedDict(
    "DeviceCommandsDeviceCommandsCommandContentTrack",
    {
        "__typename": Literal["Track"],
        "id": str,
        "title": str,
        "year": int | None,
        "durationSeconds": int | None,
    },
)
DeviceCommandsDeviceCommandsCommandContent: TypeAlias = (
    DeviceCommandsDeviceCommandsCommandContentOther
    | DeviceCommandsDeviceCommandsCommandContentEpisode
    | DeviceCommandsDeviceCommandsCommandContentMovie
    | DeviceCommandsDeviceCommandsCommandContentTrack
)
DeviceCommandsDeviceCommandsCommand = TypedDict(
    "DeviceCommandsDeviceCommandsCommand",
    {
        "id": str,
        "action": str,
        "arguments": Any,
        "content": DeviceCommandsDeviceCommandsCommandContent | None,
    },
)
DeviceCommandsDeviceCommands = TypedDict(
    "DeviceCommandsDeviceCommands",
    {
        "cursor": str,
        "command": DeviceCommandsDeviceCommandsCommand,
    },
)
DeviceCommandsData = TypedDict(
    "DeviceCommandsData",
    {
        "deviceCommands": DeviceCommandsDeviceCommands,
    },
)
FollowCommandsCommandsCommandDevice = TypedDict(
    "FollowCommandsCommandsCommandDevice",
    {
        "id": str,
    },
)
FollowCommandsCommandsCommand = TypedDict(
    "FollowCommandsCommandsCommand",
    {
        "id": str,
        "action": str,
        "state": CommandState,
        "failure": str | None,
        "device": FollowCommandsCommandsCommandDevice | None,
    },
)
FollowCommandsCommands = TypedDict(
    "FollowCommandsCommands",
    {
        "cursor": str,
        "command": FollowCommandsCommandsCommand,
    },
)
FollowCommandsData = TypedDict(
    "FollowCommandsData",
    {
        "commands": FollowCommandsCommands,
    },
)
FollowDevicesDevices = TypedDict(
    "FollowDevicesDevices",
    {
        "cursor": str,
        "removed": bool,
        "device": OfDevice,
    },
)
FollowDevicesData = TypedDict(
    "FollowDevicesData",
    {
        "devices": FollowDevicesDevices,
    },
)
OfProgressContent = TypedDict(
    "OfProgressContent",
    {
        "id": str,
    },
)
OfProgress = TypedDict(
    "OfProgress",
    {
        "content": OfProgressContent | None,
        "viewing": int,
        "positionSeconds": int,
        "durationSeconds": int,
        "completed": bool,
        "version": str,
    },
)
FollowChangesChangesProgressChanged = TypedDict(
    "FollowChangesChangesProgressChanged",
    {
        "__typename": Literal["ProgressChanged"],
        "cursor": str,
        "progress": OfProgress,
    },
)
FollowChangesChangesViewingWithdrawnContent = TypedDict(
    "FollowChangesChangesViewingWithdrawnContent",
    {
        "id": str,
    },
)
FollowChangesChangesViewingWithdrawn = TypedDict(
    "FollowChangesChangesViewingWithdrawn",
    {
        "__typename": Literal["ViewingWithdrawn"],
        "cursor": str,
        "content": FollowChangesChangesViewingWithdrawnContent | None,
        "viewing": int,
    },
)
FollowChangesChangesWatchlistChangedContent = TypedDict(
    "FollowChangesChangesWatchlistChangedContent",
    {
        "id": str,
    },
)
OfEntry = TypedDict(
    "OfEntry",
    {
        "tags": list[str],
        "place": str,
        "version": str | None,
    },
)
FollowChangesChangesWatchlistChanged = TypedDict(
    "FollowChangesChangesWatchlistChanged",
    {
        "__typename": Literal["WatchlistChanged"],
        "cursor": str,
        "content": FollowChangesChangesWatchlistChangedContent | None,
        "entry": OfEntry | None,
    },
)
OfReactionContent = TypedDict(
    "OfReactionContent",
    {
        "id": str,
    },
)
OfReaction = TypedDict(
    "OfReaction",
    {
        "content": OfReactionContent | None,
        "verdict": Verdict | None,
        "stars": float | None,
        "version": str,
    },
)
FollowChangesChangesReactionChanged = TypedDict(
    "FollowChangesChangesReactionChanged",
    {
        "__typename": Literal["ReactionChanged"],
        "cursor": str,
        "reaction": OfReaction,
    },
)
OfMarksContent = TypedDict(
    "OfMarksContent",
    {
        "id": str,
    },
)
OfMarks = TypedDict(
    "OfMarks",
    {
        "content": OfMarksContent | None,
        "note": str | None,
        "dropped": bool,
        "hidden": bool,
        "version": str | None,
    },
)
FollowChangesChangesTitleMarksChanged = TypedDict(
    "FollowChangesChangesTitleMarksChanged",
    {
        "__typename": Literal["TitleMarksChanged"],
        "cursor": str,
        "marks": OfMarks,
    },
)
FollowChangesChangesOther5 = TypedDict(
    "FollowChangesChangesOther5",
    {
        "__typename": Literal["DeviceChanged", "DeviceCommandChanged", "SnapshotBegan", "SnapshotEnded"],
        "cursor": str,
    },
)
FollowChangesChangesPlaybackChangedSession = TypedDict(
    "FollowChangesChangesPlaybackChangedSession",
    {
        "id": str,
        "endReason": PlaybackEnd | None,
    },
)
FollowChangesChangesPlaybackChanged = TypedDict(
    "FollowChangesChangesPlaybackChanged",
    {
        "__typename": Literal["PlaybackChanged"],
        "cursor": str,
        "session": FollowChangesChangesPlaybackChangedSession,
    },
)
FollowChangesChanges: TypeAlias = (
    FollowChangesChangesProgressChanged
    | FollowChangesChangesViewingWithdrawn
    | FollowChangesChangesWatchlistChanged
    | FollowChangesChangesReactionChanged
    | FollowChangesChangesTitleMarksChanged
    | FollowChangesChangesOther5
    | FollowChangesChangesPlaybackChanged
)
FollowChangesData = TypedDict(
    "FollowChangesData",
    {
        "changes": FollowChangesChanges,
    },
)
ForgetTitleForgetTitle = TypedDict(
    "ForgetTitleForgetTitle",
    {
        "viewings": int | None,
        "userErrors": list[Refusal],
    },
)
ForgetTitleData = TypedDict(
    "ForgetTitleData",
    {
        "forgetTitle": ForgetTitleForgetTitle,
    },
)
ForgetTitleInput = TypedDict(
    "ForgetTitleInput",
    {
        "contentId": str,
    },
)
KeepHistoryKeepHistory = TypedDict(
    "KeepHistoryKeepHistory",
    {
        "days": int | None,
        "userErrors": list[Refusal],
    },
)
KeepHistoryData = TypedDict(
    "KeepHistoryData",
    {
        "keepHistory": KeepHistoryKeepHistory,
    },
)
KeepHistoryInput = TypedDict(
    "KeepHistoryInput",
    {
        "days": NotRequired[int | None],
    },
)


class Operations(ABC):
    """A method for each operation; what is `None` is left to the server's default."""

    @abstractmethod
    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of one operation."""

    @abstractmethod
    def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        """The data of each event of a subscription."""

    async def titles(
        self, *, first: int, after: str | None = None, filter: ContentFilter | None = None
    ) -> TitlesData:
        return cast(
            "TitlesData", await self.execute(TITLES, **_given(first=first, after=after, filter=filter))
        )

    async def search(self, *, query: str, first: int) -> SearchData:
        return cast("SearchData", await self.execute(SEARCH, **_given(query=query, first=first)))

    async def content(self, *, id: str) -> ContentData:
        return cast("ContentData", await self.execute(CONTENT, **_given(id=id)))

    async def parts(self, *, id: str) -> PartsData:
        return cast("PartsData", await self.execute(PARTS, **_given(id=id)))

    async def home(self) -> HomeData:
        return cast("HomeData", await self.execute(HOME))

    async def continue_watching(self, *, first: int) -> ContinueWatchingData:
        return cast("ContinueWatchingData", await self.execute(CONTINUE_WATCHING, **_given(first=first)))

    async def watchlist(self, *, first: int, after: str | None = None) -> WatchlistData:
        return cast("WatchlistData", await self.execute(WATCHLIST, **_given(first=first, after=after)))

    async def sync_cursor(self) -> SyncCursorData:
        return cast("SyncCursorData", await self.execute(SYNC_CURSOR))

    async def devices(self) -> DevicesData:
        return cast("DevicesData", await self.execute(DEVICES))

    async def playback_sessions(self) -> PlaybackSessionsData:
        return cast("PlaybackSessionsData", await self.execute(PLAYBACK_SESSIONS))

    async def device_itself(self, *, id: str) -> DeviceItselfData:
        return cast("DeviceItselfData", await self.execute(DEVICE_ITSELF, **_given(id=id)))

    async def register_device(self, *, input: RegisterDeviceInput) -> RegisterDeviceData:
        return cast("RegisterDeviceData", await self.execute(REGISTER_DEVICE, **_given(input=input)))

    async def set_incognito(self, *, input: SetIncognitoInput) -> SetIncognitoData:
        return cast("SetIncognitoData", await self.execute(SET_INCOGNITO, **_given(input=input)))

    async def heartbeat(self, *, input: HeartbeatInput) -> HeartbeatData:
        return cast("HeartbeatData", await self.execute(HEARTBEAT, **_given(input=input)))

    async def push_changes(self, *, input: PushChangesInput) -> PushChangesData:
        return cast("PushChangesData", await self.execute(PUSH_CHANGES, **_given(input=input)))

    async def send_command(self, *, input: SendCommandInput) -> SendCommandData:
        return cast("SendCommandData", await self.execute(SEND_COMMAND, **_given(input=input)))

    async def acknowledge_command(self, *, input: AcknowledgeCommandInput) -> AcknowledgeCommandData:
        return cast("AcknowledgeCommandData", await self.execute(ACKNOWLEDGE_COMMAND, **_given(input=input)))

    async def start_playback(self, *, input: StartPlaybackInput) -> StartPlaybackData:
        return cast("StartPlaybackData", await self.execute(START_PLAYBACK, **_given(input=input)))

    async def report_progress(self, *, input: ReportProgressInput) -> ReportProgressData:
        return cast("ReportProgressData", await self.execute(REPORT_PROGRESS, **_given(input=input)))

    async def end_playback(self, *, input: EndPlaybackInput) -> EndPlaybackData:
        return cast("EndPlaybackData", await self.execute(END_PLAYBACK, **_given(input=input)))

    async def continue_on(self, *, input: ContinueOnInput) -> ContinueOnData:
        return cast("ContinueOnData", await self.execute(CONTINUE_ON, **_given(input=input)))

    async def device_commands(
        self, *, device: str, after: str | None = None
    ) -> AsyncGenerator[DeviceCommandsData, None]:
        async with aclosing(self.stream(DEVICE_COMMANDS, **_given(device=device, after=after))) as events:
            async for data in events:
                yield cast("DeviceCommandsData", data)

    async def follow_commands(self, *, after: str | None = None) -> AsyncGenerator[FollowCommandsData, None]:
        async with aclosing(self.stream(FOLLOW_COMMANDS, **_given(after=after))) as events:
            async for data in events:
                yield cast("FollowCommandsData", data)

    async def follow_devices(self) -> AsyncGenerator[FollowDevicesData, None]:
        async with aclosing(self.stream(FOLLOW_DEVICES)) as events:
            async for data in events:
                yield cast("FollowDevicesData", data)

    async def follow_changes(
        self, *, snapshot: bool, after: str | None = None
    ) -> AsyncGenerator[FollowChangesData, None]:
        async with aclosing(self.stream(FOLLOW_CHANGES, **_given(snapshot=snapshot, after=after))) as events:
            async for data in events:
                yield cast("FollowChangesData", data)

    async def forget_title(self, *, input: ForgetTitleInput) -> ForgetTitleData:
        return cast("ForgetTitleData", await self.execute(FORGET_TITLE, **_given(input=input)))

    async def keep_history(self, *, input: KeepHistoryInput) -> KeepHistoryData:
        return cast("KeepHistoryData", await self.execute(KEEP_HISTORY, **_given(input=input)))


def _given(**variables: Any) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if value is not None}
