/**
 * The operations a newcomer finds in the tabs, written against `schema.graphql` at the root of the repository.
 *
 * To change one: edit its `query` so that it is valid against that schema, give the operation a name (it becomes the
 * tab's title), and run `npm run build` here. Variables that must name something that exists come from `LOOKUP`, which
 * the page runs anonymously before it shows the tabs: add a field to it and to `findExampleValues`. The browser test
 * finds its operations by name: `Search` must answer without an account, `InParts` puts `credits` and `similar` off,
 * `LiveProgress` must be a subscription, and `ReportProgress` a mutation that makes `LiveProgress` deliver its
 * `positionSeconds`, with the variables given here.
 */

/** What the examples are about, found in the catalogue at hand. */
export interface ExampleValues {
  readonly contentId: string;
}

export interface Example {
  readonly label: string;
  readonly summary: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A well-known film if it is there, else whatever the catalogue has. */
export const LOOKUP = `query ExampleValues {
  search(query: "Arrival", first: 1) { nodes { id } }
  contents(first: 1) { nodes { id } }
}`;

interface LookupAnswer {
  readonly data?: Partial<Record<"search" | "contents", { nodes?: readonly { id: string }[] } | null>> | null;
}

/** Reads the answer of `LOOKUP`. An id that was not found is left for the reader to fill in. */
export function findExampleValues(answer: unknown): ExampleValues {
  const { data } = (answer ?? {}) as LookupAnswer;
  const first = data?.search?.nodes?.[0] ?? data?.contents?.nodes?.[0];
  return { contentId: first?.id ?? "" };
}

const SEARCH = `# Words and meaning are searched together, and a
# typing mistake is forgiven. Ctrl+Enter runs it.
query Search($text: String!, $first: Int) {
  search(query: $text, first: $first) {
    totalCount
    tookMs
    edges {
      score
      node {
        id
        title
        year
        genres {
          name
        }
        availability {
          kind
          quality
          price {
            amount
            currency
          }
          platform {
            name
          }
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const HOME = `# The whole first screen in one request. Sign in and
# run it again: the rails become your own.
query Home {
  home {
    id
    title
    kind
    items(first: 6) {
      nodes {
        __typename
        id
        title
        year
      }
    }
  }
}
`;

const TITLE = `# One title, where it can be watched, what is like it,
# and, signed in, how far you have watched it.
query Title($contentId: ID!, $region: String) {
  content(by: { id: $contentId }) {
    __typename
    id
    title
    year
    synopsis
    genres {
      name
    }
    ... on Movie {
      runtimeSeconds
    }
    availability(region: $region) {
      kind
      quality
      region
      expiresAt
      price {
        amount
        currency
      }
      platform {
        name
      }
      links {
        kind
        url
      }
    }
    similar(first: 3) {
      nodes {
        title
        year
      }
    }
    myProgress {
      positionSeconds
      fraction
      completed
    }
  }
}
`;

const IN_PARTS = `# The title at once, the rest of the page when it is
# there: one answer, in parts. Others ignore @defer.
query InParts($contentId: ID!) {
  content(by: { id: $contentId }) {
    title
    year
    ... @defer(label: "people") {
      credits(first: 5) {
        nodes {
          role
          person {
            name
          }
        }
      }
    }
    ... @defer(label: "similar") {
      similar(first: 3) {
        nodes {
          title
        }
      }
    }
  }
}
`;

const WATCHLIST = `# Needs an account: sign in at the top of the page, or
# run SignIn below with your own and put its token in
# Headers as {"Authorization": "Bearer <token>"}.
mutation AddToWatchlist($contentId: ID!) {
  addToWatchlist(input: { contentId: $contentId }) {
    entry {
      addedAt
      content {
        title
      }
    }
    userErrors {
      message
    }
  }
}

mutation SignIn($email: String!, $password: String!) {
  signIn(input: { email: $email, password: $password }) {
    accessToken
    userErrors {
      message
    }
  }
}
`;

const LIVE_PROGRESS = `# Stays open and tells each change, from any device.
# Run it, then ReportProgress in a second window.
subscription LiveProgress($contentId: ID) {
  progress(contentId: $contentId) {
    cursor
    progress {
      positionSeconds
      durationSeconds
      fraction
      completed
      updatedAt
      content {
        title
      }
    }
  }
}
`;

const REPORT_PROGRESS = `# What a player sends every few seconds.
mutation ReportProgress($contentId: ID!, $positionSeconds: Int!, $durationSeconds: Int!) {
  reportProgress(
    input: {
      contentId: $contentId
      positionSeconds: $positionSeconds
      durationSeconds: $durationSeconds
    }
  ) {
    progress {
      positionSeconds
      fraction
      completed
      updatedAt
    }
    userErrors {
      message
    }
  }
}
`;

/** The tabs of a first visit, in order. */
export function examples({ contentId }: ExampleValues): readonly Example[] {
  return [
    {
      label: "Search",
      summary: "By words and by meaning, with offers",
      query: SEARCH,
      variables: { text: "first contact with aliens", first: 5 },
    },
    { label: "Home", summary: "The rails of the first screen", query: HOME, variables: {} },
    {
      label: "Title",
      summary: "One title and where to watch it",
      query: TITLE,
      variables: { contentId, region: "US" },
    },
    {
      label: "In parts",
      summary: "What takes longer comes later",
      query: IN_PARTS,
      variables: { contentId },
    },
    {
      label: "Sign in and watchlist",
      summary: "Two mutations with user errors",
      query: WATCHLIST,
      variables: { contentId, email: "", password: "" },
    },
    {
      label: "Live progress",
      summary: "A subscription over WebSocket",
      query: LIVE_PROGRESS,
      variables: { contentId },
    },
    {
      label: "Report progress",
      summary: "What a player sends while playing",
      query: REPORT_PROGRESS,
      variables: { contentId, positionSeconds: 1260, durationSeconds: 6960 },
    },
  ];
}
