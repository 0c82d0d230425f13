import type { Session } from './session.js';

export interface AccountsOptions {
  readonly from: string;
  readonly count: string;
}

interface SignerAnswer {
  readonly name: string;
  readonly kind: string;
  readonly address: string | null;
  readonly problem: { readonly code: string; readonly detail: string } | null;
}

interface AccountAnswer {
  readonly index: number;
  readonly name: string;
  readonly address: string;
}

interface WalletAnswer {
  readonly name: string;
  readonly path: string;
}

export async function listSigners(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ signers: readonly SignerAnswer[] }>('/api/signers');
  session.show(answer, () => {
    if (answer.signers.length === 0) return 'No signers. Declare one under signers: in patchbay.yaml.';
    return session.table(
      [
        { title: 'signer', text: (one: SignerAnswer) => one.name },
        { title: 'kind', text: (one) => one.kind, drop: 1 },
        { title: 'address', text: (one) => one.address ?? '' },
        { title: 'problem', text: (one) => one.problem?.detail ?? '', canShrink: true },
      ],
      answer.signers,
    );
  });
}

export async function listWallets(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ wallets: readonly WalletAnswer[] }>('/api/wallets');
  session.show(answer, () => {
    if (answer.wallets.length === 0) return 'No wallets. Declare one under wallets: in patchbay.yaml.';
    return session.table(
      [
        { title: 'wallet', text: (one: WalletAnswer) => one.name },
        { title: 'path', text: (one) => one.path },
      ],
      answer.wallets,
    );
  });
}

export async function listAccounts(name: string, { from, count }: AccountsOptions, session: Session): Promise<void> {
  const hub = await session.hub();
  const query = new URLSearchParams({ from, count });
  const answer = await hub.get<{ accounts: readonly AccountAnswer[] }>(
    `/api/wallets/${encodeURIComponent(name)}/accounts?${query}`,
  );
  session.show(answer, () =>
    session.table(
      [
        { title: 'signer', text: (one: AccountAnswer) => one.name },
        { title: 'address', text: (one) => one.address },
      ],
      answer.accounts,
    ),
  );
}
