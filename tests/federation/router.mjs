// Serves the supergraph in the file given, on a port of loopback that it prints. It ends when its stdin does.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';

const gateway = createGatewayRuntime({
  supergraph: readFileSync(process.argv[2], 'utf8'),
  transports: { http },
  logging: 'warn',
  maskedErrors: false,
  landingPage: false,
  graphiql: false,
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => {
      const authorization = request.headers.get('authorization');
      return authorization === null ? {} : { authorization };
    },
  },
});
const server = createServer(gateway);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
