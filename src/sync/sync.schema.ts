import { finalityInput, z } from '#sdk';

const apiName = () => z.string().regex(/^[A-Za-z]\w*$/, 'must be an API name: letters, digits and underscores');
const identifier = () => z.string().regex(/^[A-Za-z_]\w*$/, 'must be a name as the contract has it');
const named = (what: string, example: string) =>
  z
    .string()
    .min(1)
    .max(200)
    .meta({ examples: [example] })
    .describe(what);
const policy = () => z.enum(['chain', 'salesforce', 'newest']);

const salesforce = z.strictObject({
  connection: z.string().min(1).optional().describe('Which org. Default: the default connection.'),
  object: apiName()
    .meta({ examples: ['Member__c'] })
    .describe('The object whose records are synced.'),
  key: apiName()
    .meta({ examples: ['Wallet__c'] })
    .describe('The text field, External ID and Unique, that holds the key; of events their id.'),
  hear: z
    .enum(['changeDataCapture', 'pushTopic', 'recordChanged'])
    .optional()
    .describe('How changes of records are heard. Default changeDataCapture; recordChanged asks once a minute.'),
});

const chain = z.strictObject({
  network: z.string().min(1).optional().describe('Which network. Default: the default one.'),
  contract: named('Name in the address book, or an address.', 'member-registry'),
  abi: named('Name of an ABI, for a contract that is given by address.', 'MemberRegistry').optional(),
  confirmations: finalityInput()
    .optional()
    .describe('Blocks on top before the chain is believed. Default: the setting of the network.'),
  fromBlock: z.number().int().min(0).optional().describe('Where the past of the contract begins. Default 0.'),
  events: z
    .array(named('An event.', 'MemberSet'))
    .min(1)
    .max(10)
    .optional()
    .describe('Events that tell that the entry of a key has changed.'),
  key: identifier()
    .meta({ examples: ['member'] })
    .optional()
    .describe('The argument of these events that is the key.'),
  read: named('The function that gives the entry of a key.', 'memberOf').optional(),
  exists: identifier()
    .meta({ examples: ['active'] })
    .optional()
    .describe('The output that tells whether there is an entry. Default: whether any output is not zero.'),
  write: named('The function that sets the entry of a key.', 'setMember').optional(),
  remove: named('The function that takes the entry of a key away.', 'removeMember').optional(),
  from: z.string().min(1).optional().describe('The signer of what is written to the chain.'),
  event: named('Instead: one event, each of which becomes a record.', 'Transfer').optional(),
});

const field = z.strictObject({
  salesforce: apiName()
    .meta({ examples: ['Points__c'] })
    .describe('The field of the record.'),
  chain: identifier()
    .meta({ examples: ['points'] })
    .describe('The output of the function that reads; of an event the argument.'),
  direction: z.enum(['both', 'toChain', 'toSalesforce']).optional().describe('Which way changes go. Default both.'),
  conflict: policy().optional().describe('Who wins when both have changed it. Default: as for the sync.'),
  decimals: z.number().int().min(0).max(77).optional().describe('The field is a number and holds whole tokens.'),
  exact: apiName().optional().describe('A text field that holds the whole amount, beside the scaled one.'),
  write: named('The function that sets this value alone.', 'setTier').optional(),
});

/** The whole grammar of a sync file. An unknown key is a fault, as in flows. */
export const syncSchema = z
  .strictObject({
    sync: z
      .string()
      .max(60)
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be in kebab-case')
      .meta({ examples: ['member-balances'] })
      .describe('Unique name, in kebab-case. The flows of the sync begin with it.'),
    description: z.string().optional().describe('One sentence on what is kept in order.'),
    salesforce: salesforce.describe('One side.'),
    chain: chain.describe('The other side.'),
    fields: z.array(field).min(1).max(100).describe('What is joined to what.'),
    conflict: policy().optional().describe('Who wins when both sides have changed. Default chain.'),
    deletes: z
      .strictObject({
        onChain: z
          .enum(['mark', 'delete', 'ignore'])
          .optional()
          .describe(
            'What becomes of the record when its entry is gone. Default: mark if there is a mark, else ignore.',
          ),
        mark: apiName()
          .meta({ examples: ['Removed__c'] })
          .optional()
          .describe('The checkbox of records whose entry is gone.'),
        inSalesforce: z
          .enum(['remove', 'ignore'])
          .optional()
          .describe('What becomes of the entry when its record is deleted. Default ignore.'),
      })
      .optional()
      .describe('What happens when one side is gone.'),
    reverted: apiName()
      .meta({ examples: ['Reverted__c'] })
      .optional()
      .describe('Of events: the checkbox of records whose event vanished in a reorganisation.'),
    check: z
      .strictObject({
        cron: z.string().optional().describe('When both sides are compared as a whole. Default 0 3 * * *.'),
        timezone: z.string().optional().describe('Of these times. Default UTC.'),
        repair: z.boolean().optional().describe('Whether what differs is brought in order. Default true.'),
      })
      .optional()
      .describe('The regular look for what drifted apart.'),
    enabled: z.boolean().optional().describe('false: it does not run. Default true.'),
  })
  .superRefine((document, context) => {
    const fault: AddFault = (path, message, fix) =>
      context.addIssue({ code: 'custom', path, message, ...(fix !== undefined && { params: { fix } }) });
    if (document.chain.event !== undefined) return refineEvents(document, fault);
    return refineState(document, fault);
  });

type Written = z.output<typeof syncSchema>;
/** With a remedy the message is a whole sentence; without one it says of the key that is missing why it is needed. */
type AddFault = (path: (string | number)[], message: string, fix?: string) => void;

function refineState({ chain: given, fields, deletes, reverted }: Written, fault: AddFault): void {
  for (const name of ['events', 'key', 'read'] as const) {
    if (given[name] === undefined) fault(['chain', name], 'is needed, unless chain names one event');
  }
  if (reverted !== undefined) fault(['reverted'], 'reverted is for a sync of one event.', 'Use deletes.mark instead.');
  if (deletes?.onChain === 'mark' && deletes.mark === undefined)
    fault(['deletes', 'mark'], 'is needed to mark records');
  if (deletes?.inSalesforce === 'remove' && given.remove === undefined) {
    fault(
      ['deletes', 'inSalesforce'],
      'What is deleted in Salesforce cannot be removed without a function for it.',
      'Add remove: to chain.',
    );
  }
  if ((given.write ?? given.remove) !== undefined && given.from === undefined) {
    fault(['chain', 'from'], 'is needed: the signer of what is written');
  }
  const names = new Set<string>();
  const written = new Set<string>();
  fields.forEach((one, index) => {
    for (const part of ['salesforce', 'exact'] as const) {
      const name = one[part];
      if (name === undefined) continue;
      if (names.has(name.toLowerCase()))
        fault(['fields', index, part], `${name} is joined twice.`, 'Remove one of the two.');
      names.add(name.toLowerCase());
    }
    if (one.exact !== undefined && one.decimals === undefined) {
      fault(
        ['fields', index, 'exact'],
        'exact goes with decimals: the field beside it is then the scaled amount.',
        'Add decimals:, or remove exact.',
      );
    }
    if (one.direction === 'toSalesforce') return;
    if (written.has(one.chain))
      fault(
        ['fields', index, 'chain'],
        `${one.chain} is written by two fields.`,
        'Give one of them direction: toSalesforce.',
      );
    written.add(one.chain);
  });
}

function refineEvents(document: Written, fault: AddFault): void {
  const noMeaning = (path: (string | number)[]): void => {
    const name = String(path.at(-1));
    fault(path, `${name} has no meaning for a sync of one event.`, `Remove ${name}.`);
  };
  for (const name of ['events', 'key', 'read', 'exists', 'write', 'remove', 'from'] as const) {
    if (document.chain[name] !== undefined) noMeaning(['chain', name]);
  }
  for (const name of ['conflict', 'deletes', 'check'] as const) {
    if (document[name] !== undefined) noMeaning([name]);
  }
  if (document.salesforce.hear !== undefined) noMeaning(['salesforce', 'hear']);
  document.fields.forEach((one, index) => {
    for (const name of ['conflict', 'write'] as const) {
      if (one[name] !== undefined) noMeaning(['fields', index, name]);
    }
    if (one.direction !== undefined && one.direction !== 'toSalesforce') {
      fault(
        ['fields', index, 'direction'],
        'direction must be toSalesforce: an event is never changed.',
        'Remove direction.',
      );
    }
  });
}

export type SyncDocument = Written;
