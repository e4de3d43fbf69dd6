// Asks the server as Apollo Client and urql do, and prints, as JSON, each state of the data that they show on the way.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { Client, fetchExchange } from "@urql/core";

const [url, query] = process.argv.slice(2);

/** `fetch` that notes which type of answer came. */
function noting(types) {
  return async (...request) => {
    const response = await fetch(...request);
    types.push(response.headers.get("content-type"));
    return response;
  };
}

async function apollo(incrementalHandler) {
  const types = [];
  const client = new ApolloClient({
    link: ApolloLink.from([new HttpLink({ uri: url, fetch: noting(types) })]),
    cache: new InMemoryCache(),
    incrementalHandler,
  });
  const states = await new Promise((resolve, reject) => {
    const seen = [];
    client
      .watchQuery({ query: gql(query), errorPolicy: "all", fetchPolicy: "no-cache" })
      .subscribe({
        next: ({ data, loading, error }) => {
          if (data === undefined) return;
          seen.push({ data, errors: error?.errors?.map(({ extensions }) => extensions.code) ?? [] });
          if (!loading) resolve(seen);
        },
        error: reject,
      });
  });
  return { types, states };
}

async function urql() {
  const types = [];
  const client = new Client({ url, exchanges: [fetchExchange], fetch: noting(types), preferGetMethod: false });
  const states = await new Promise((resolve) => {
    const seen = [];
    client.query(query, {}).subscribe(({ data, error, hasNext }) => {
      seen.push({ data, errors: error?.graphQLErrors.map(({ extensions }) => extensions.code) ?? [] });
      if (!hasNext) resolve(seen);
    });
  });
  return { types, states };
}

const answers = {
  "Apollo Client": await apollo(new GraphQL17Alpha9Handler()),
  "Apollo Client of 2022": await apollo(new Defer20220824Handler()),
  urql: await urql(),
};
console.log(JSON.stringify(answers));
