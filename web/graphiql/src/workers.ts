import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

/** Gives Monaco its workers from our own bundle; without this it would look for them on a public host. */
export function bundleWorkers(): void {
  self.MonacoEnvironment = {
    getWorker(_id: string, label: string): Worker {
      if (label === "json") return new JsonWorker();
      if (label === "graphql") return new GraphQLWorker();
      return new EditorWorker();
    },
  };
}
