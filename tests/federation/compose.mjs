// Composes the subgraphs read from stdin, as JSON [{name, url, sdl}], and prints {errors, supergraph, api} as JSON.
import { readFileSync } from 'node:fs';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';

const services = JSON.parse(readFileSync(0, 'utf8')).map(({ name, url, sdl }) => ({
  name,
  url,
  typeDefs: parse(sdl),
}));
const { errors, supergraphSdl, publicSdl } = composeServices(services);
console.log(
  JSON.stringify({
    errors: (errors ?? []).map((error) => error.message),
    supergraph: supergraphSdl ?? null,
    api: publicSdl ?? null,
  }),
);
