// GraphQL Yoga with Envelop's JIT plug-in.
import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import { createSchema, createYoga } from "graphql-yoga";
import { port, warmUp } from "./data.mjs";
import { contextOf, resolvers, typeDefs } from "./graph.mjs";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ request }) => contextOf(request.headers.get("authorization")),
  plugins: [useGraphQlJit({ customJSONSerializer: true })],
  graphiql: false,
  landingPage: false,
  logging: false,
});

await warmUp();
createServer(yoga).listen(port, "127.0.0.1");
