// Mercurius with its JIT from the first request on.
import Fastify from "fastify";
import mercurius from "mercurius";
import { port, warmUp } from "./data.mjs";
import { contextOf, resolvers, typeDefs } from "./graph.mjs";

const app = Fastify({ logger: false });
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  context: (request) => contextOf(request.headers.authorization),
  jit: 1,
  compilerOptions: { customJSONSerializer: true },
  graphiql: false,
});

await warmUp();
await app.listen({ port, host: "127.0.0.1" });
