import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryResult,
  RootOperationNode,
  UnknownRow,
} from 'kysely';

/** Holds back an answer of the database. */
export class LateAnswers implements KyselyPlugin {
  #held: { readonly arrived: () => void; readonly release: Promise<void> } | undefined;
  release = (): void => undefined;

  /** @returns when the next answer has arrived */
  holdNext(): Promise<void> {
    const release = new Promise<void>((resolve) => (this.release = resolve));
    return new Promise((arrived) => (this.#held = { arrived, release }));
  }

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const held = this.#held;
    this.#held = undefined;
    held?.arrived();
    await held?.release;
    return result;
  }
}
