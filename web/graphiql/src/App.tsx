import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useMemo } from "react";
import { useEditorAppearance } from "./appearance";
import type { PageConfig } from "./config";
import type { Example } from "./examples";
import { asJson, ExamplesMenu } from "./ExamplesMenu";
import { Header } from "./Header";
import type { Session } from "./session";
import type { Transport } from "./transport";

/** Where GraphiQL keeps its tabs between visits. */
const TABS_KEY = "graphiql:tabState";

interface AppProps {
  readonly config: PageConfig;
  readonly session: Session;
  readonly transport: Transport;
  readonly examples: readonly Example[];
}

/**
 * GraphiQL put together from its parts rather than from its ready-made whole, so that our header comes before it in
 * the document: the keyboard reaches it first.
 */
export function App({ config, session, transport, examples }: AppProps) {
  const plugins = useMemo(() => [DOC_EXPLORER_PLUGIN, explorerPlugin(), HISTORY_PLUGIN], []);
  const tabs = useMemo(() => examples.map(asTab), [examples]);
  const firstVisit = useMemo(() => (isFirstVisit() ? { initialVariables: tabs[0]?.variables ?? "" } : {}), [tabs]);
  useEditorAppearance();
  return (
    <>
      <Header config={config} session={session} transport={transport} />
      <main className="mg-main">
        <GraphiQLProvider
          fetcher={transport.fetcher}
          plugins={plugins}
          referencePlugin={DOC_EXPLORER_PLUGIN}
          defaultTabs={tabs}
          {...firstVisit}
          schemaDescription
          inputValueDeprecation
        >
          <HistoryStore>
            <DocExplorerStore>
              <GraphiQLInterface defaultEditorToolsVisibility="variables">
                <GraphiQL.Logo>
                  <ExamplesMenu examples={examples} />
                </GraphiQL.Logo>
              </GraphiQLInterface>
            </DocExplorerStore>
          </HistoryStore>
        </GraphiQLProvider>
      </main>
    </>
  );
}

function asTab({ query, variables }: Example) {
  return { query, variables: asJson(variables) };
}

/** GraphiQL shows the first default tab's query by itself, but not its variables; later it shows what it has kept. */
function isFirstVisit(): boolean {
  return localStorage.getItem(TABS_KEY) === null;
}
