// The graph that all of them serve: one schema, one set of resolvers, one context.
import { readFileSync } from "node:fs";
import { config, Loaders } from "./data.mjs";

export const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");

const ofContent = {
  artwork: (content, _arguments, { loaders }) => loaders.artwork.load(content.key),
  credits: async (content, { first }, { loaders }) => ({
    nodes: (await loaders.credits.load(content.key)).slice(0, first ?? 20),
  }),
  availability: (content, _arguments, { loaders }) => loaders.offers.load(content.key),
};

const ofEntry = {
  content: (entry, _arguments, { loaders }) => loaders.contents.load(entry.contentId),
};

export const resolvers = {
  Query: {
    content: async (_root, { by }, { loaders }) => {
      const id = await loaders.bySlug.load(by.slug);
      return id === null ? null : loaders.contents.load(id);
    },
    contents: async (_root, { first }, { loaders }) => ({ nodes: await loaders.browse(first) }),
    viewer: (_root, _arguments, { loaders }) => (loaders.accountId === undefined ? null : {}),
  },
  Movie: ofContent,
  Series: ofContent,
  Album: ofContent,
  Viewer: {
    continueWatching: async (_viewer, { first }, { loaders }) => ({
      nodes: await loaders.continueWatching(first),
    }),
    watchlist: async (_viewer, { first }, { loaders }) => ({ nodes: await loaders.watchlist(first) }),
  },
  WatchProgress: ofEntry,
  WatchlistEntry: ofEntry,
};

// Tokens are taken as verified, as the gateway remembers those that it has verified.
export function contextOf(authorization) {
  return { loaders: new Loaders(config.accounts[authorization?.slice("Bearer ".length)]) };
}
