import { ChevronDownIcon, DropdownMenu, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import type { Example } from "./examples";

/** Opens an example in a new tab, so that a tab that was closed or rewritten is never lost. */
export function ExamplesMenu({ examples }: { readonly examples: readonly Example[] }) {
  const { addTab, stop } = useGraphiQLActions();
  const { queryEditor, variableEditor } = useGraphiQL(({ queryEditor, variableEditor }) => ({
    queryEditor,
    variableEditor,
  }));

  const open = ({ query, variables }: Example) => {
    // A subscription still running would write its events into the new tab.
    stop();
    addTab();
    variableEditor?.setValue(asJson(variables));
    queryEditor?.setValue(query);
    queryEditor?.focus();
  };

  return (
    <DropdownMenu>
      <DropdownMenu.Button className="mg-quiet-button">
        Examples
        <ChevronDownIcon aria-hidden="true" />
      </DropdownMenu.Button>
      <DropdownMenu.Content align="end" sideOffset={6} className="mg-menu">
        {examples.map((example) => (
          <DropdownMenu.Item key={example.label} className="mg-menu-item" onSelect={() => open(example)}>
            <span className="mg-menu-title">{example.label}</span>
            <span className="mg-menu-note">{example.summary}</span>
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  );
}

export function asJson(variables: Readonly<Record<string, unknown>>): string {
  return Object.keys(variables).length > 0 ? JSON.stringify(variables, null, 2) : "";
}
