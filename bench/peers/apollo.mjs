// Apollo Server on Fastify.
import { ApolloServer } from "@apollo/server";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import Fastify from "fastify";
import { port, warmUp } from "./data.mjs";
import { contextOf, resolvers, typeDefs } from "./graph.mjs";

const apollo = new ApolloServer({ typeDefs, resolvers, introspection: false });
await apollo.start();
const app = Fastify({ logger: false });
app.post(
  "/graphql",
  fastifyApolloHandler(apollo, { context: async (request) => contextOf(request.headers.authorization) }),
);

await warmUp();
await app.listen({ port, host: "127.0.0.1" });
