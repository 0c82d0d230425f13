export interface TrialAnswer {
  readonly key: string;
  readonly salesforce: { readonly id: string; readonly fields: Readonly<Record<string, unknown>> } | null;
  readonly chain: Readonly<Record<string, unknown>> | null;
  readonly wouldWrite: {
    readonly salesforce: { readonly kind: string; readonly fields: Readonly<Record<string, unknown>> } | null;
    readonly chain: readonly { readonly function: string; readonly args: unknown }[];
  };
  readonly dependsOnTime: boolean;
}

/** The dry run of one record, for people: both sides, and what would be written. */
export function trialText({ key, salesforce, chain, wouldWrite, dependsOnTime }: TrialAnswer, object: string): string {
  const { salesforce: toSalesforce, chain: calls } = wouldWrite;
  const writes = [
    ...(toSalesforce === null ? [] : [`${toSalesforce.kind} the ${object}: ${JSON.stringify(toSalesforce.fields)}`]),
    ...calls.map(({ function: name, args }) => `call ${name}: ${JSON.stringify(args)}`),
  ];
  return [
    `Tried with ${key}; nothing was written.`,
    `  Salesforce  ${salesforce === null ? 'no record' : JSON.stringify(salesforce.fields)}`,
    `  chain       ${chain === null ? 'no entry' : JSON.stringify(chain)}`,
    ...(dependsOnTime ? ['  Both differ: whoever changed it last will win.'] : []),
    ...(writes.length === 0 ? ['  Nothing to do: both agree.'] : writes.map((one) => `  would ${one}`)),
  ].join('\n');
}
