import { ChevronDownIcon, DropdownMenu } from "@graphiql/react";
import { useState, useSyncExternalStore } from "react";
import type { DemoAccount } from "./config";
import type { Session, SignedIn } from "./session";

interface AccountBarProps {
  readonly session: Session;
  readonly accounts: readonly DemoAccount[];
}

/** Which account the page acts for, and the way to change it. */
export function AccountBar({ session, accounts }: AccountBarProps) {
  const account = useSyncExternalStore(session.subscribe, session.current);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");

  const signIn = async (chosen: DemoAccount) => {
    setBusy(true);
    setRefusal("");
    await session.signIn(chosen).catch((error: unknown) => setRefusal(explain(error)));
    setBusy(false);
  };

  return (
    <div className="mg-account" role="group" aria-label="Account">
      <span role="alert" className="mg-refusal" title={refusal}>
        {refusal}
      </span>
      {account ? <WhoIsSignedIn account={account} /> : <span className="mg-anonymous">Not signed in</span>}
      {account && (
        <button type="button" className="mg-button" onClick={() => session.signOut()}>
          Sign out
        </button>
      )}
      {!account && accounts.length > 0 && <AccountMenu accounts={accounts} busy={busy} onChoose={signIn} />}
    </div>
  );
}

function WhoIsSignedIn({ account }: { readonly account: SignedIn }) {
  return (
    <span className="mg-who" role="status" aria-label={`Signed in as ${account.displayName}`} title={account.email}>
      <Avatar name={account.displayName} />
      <span className="mg-who-text">
        <span className="mg-who-name">{account.displayName}</span>
        <span className="mg-who-email">{account.email}</span>
      </span>
    </span>
  );
}

interface AccountMenuProps {
  readonly accounts: readonly DemoAccount[];
  readonly busy: boolean;
  readonly onChoose: (account: DemoAccount) => void;
}

function AccountMenu({ accounts, busy, onChoose }: AccountMenuProps) {
  return (
    <DropdownMenu>
      <DropdownMenu.Button className="mg-button mg-button-primary" disabled={busy} aria-busy={busy}>
        {busy ? "Signing in…" : "Sign in as demo account"}
        <ChevronDownIcon aria-hidden="true" />
      </DropdownMenu.Button>
      <DropdownMenu.Content align="end" sideOffset={8} className="mg-menu">
        {accounts.map((account) => (
          <DropdownMenu.Item
            key={account.email}
            className="mg-menu-item mg-menu-account"
            textValue={account.displayName}
            onSelect={() => onChoose(account)}
          >
            <Avatar name={account.displayName} />
            <span className="mg-menu-lines">
              <span className="mg-menu-title">{account.displayName}</span>
              <span className="mg-menu-note">{account.email}</span>
            </span>
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  );
}

function Avatar({ name }: { readonly name: string }) {
  const initials = name
    .split(/\s+/)
    .map((word) => Array.from(word)[0] ?? "")
    .slice(0, 2)
    .join("");
  return (
    <span className="mg-avatar" aria-hidden="true">
      {initials.toUpperCase()}
    </span>
  );
}

function explain(error: unknown): string {
  return error instanceof Error ? `Sign-in failed: ${error.message}` : "Sign-in failed.";
}
