import { useSyncExternalStore } from "react";
import { AccountBar } from "./AccountBar";
import type { PageConfig } from "./config";
import mark from "./mark.svg";
import type { Session } from "./session";
import type { LinkState, Transport } from "./transport";

interface HeaderProps {
  readonly config: PageConfig;
  readonly session: Session;
  readonly transport: Transport;
}

const LINK_LABEL: Readonly<Record<LinkState, string>> = {
  idle: "",
  connecting: "Connecting",
  open: "Live",
};

export function Header({ config, session, transport }: HeaderProps) {
  return (
    <header className="mg-header">
      <div className="mg-brand">
        <img src={mark} alt="" width="28" height="28" />
        <h1 className="mg-name">Media Gateway</h1>
        <span className="mg-place">GraphiQL</span>
      </div>
      <code className="mg-endpoint" title="The address every operation of this page goes to">
        {config.endpoint}
      </code>
      <LiveMark transport={transport} />
      <AccountBar session={session} accounts={config.demoAccounts} />
    </header>
  );
}

/** Tells that a subscription's connection is up; says nothing while there is none. */
function LiveMark({ transport }: { readonly transport: Transport }) {
  const state = useSyncExternalStore(transport.subscribeToLink, transport.linkState);
  return (
    <span className="mg-live" role="status" data-state={state}>
      {LINK_LABEL[state]}
    </span>
  );
}
