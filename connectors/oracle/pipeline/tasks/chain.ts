import { PatchbayError } from '#sdk';
import { formatDecimal, roundDecimal } from '../../decimal.js';
import type { ChainCall } from '../ports.js';
import type { TaskCall, TaskType } from '../task-type.js';
import {
  formatHex,
  isBytes,
  isList,
  parseHex,
  refusal,
  toBoolean,
  toBytes,
  toCount,
  toDecimal,
  toText,
  type Value,
} from '../value.js';
import { toList } from '../exact-json.js';

/** Asks a contract; the answer is bytes. */
export const ethcall: TaskType = {
  attributes: [
    'contract',
    'from',
    'data',
    'gas',
    'gasPrice',
    'gasTipCap',
    'gasFeeCap',
    'gasUnlimited',
    'extractRevertReason',
    'evmChainID',
    'block',
  ],
  required: ['contract', 'data'],
  async run(call) {
    const answer = await call.ports.chain.call({ ...chainCall(call, 'contract'), block: blockOf(call) }, call.signal);
    return toBytes(answer, 'The answer');
  },
};

/** Without an answer of the chain it is the limit of the job. */
export const estimategaslimit: TaskType = {
  attributes: ['to', 'from', 'data', 'multiplier', 'block', 'evmChainID'],
  required: ['to', 'data'],
  async run(call) {
    const { params, job } = call;
    const multiplier = toDecimal(params.find('multiplier') ?? '1', 'multiplier');
    const most = job.gasLimit === undefined ? undefined : toDecimal(job.gasLimit, 'gasLimit');
    try {
      const estimated = await call.ports.chain.estimate(
        { ...chainCall(call, 'to'), block: blockOf(call) },
        call.signal,
      );
      const gas = toDecimal(estimated.toString(), 'The estimate').times(multiplier).round(0, 0);
      return most === undefined || gas.lt(most) ? gas : most;
    } catch (error) {
      if (most === undefined || call.signal.aborted) throw error;
      return most;
    }
  },
};

/** Sends a transaction, once, and goes on when it has its confirmations. */
export const ethtx: TaskType = {
  attributes: [
    'from',
    'to',
    'data',
    'gasLimit',
    'txMeta',
    'minConfirmations',
    'failOnRevert',
    'evmChainID',
    'transmitChecker',
    'forwardingAllowed',
  ],
  required: ['to', 'data'],
  problems(textOf) {
    const confirmations = textOf('minConfirmations');
    return confirmations === undefined || /^\d{1,5}$/.test(confirmations)
      ? []
      : [{ attribute: 'minConfirmations', detail: `minConfirmations must be a whole number, not ${confirmations}.` }];
  },
  async run(call) {
    const { params, job, task } = call;
    const confirmations = params.find('minConfirmations');
    const gasLimit = params.find('gasLimit') ?? job.gasLimit;
    return call.ports.chain.send(
      {
        task: task.id,
        chainId: chainOf(call),
        to: toAddress(params.get('to'), 'to'),
        data: formatHex(toBytes(params.get('data'), 'data')),
        from: sendersOf(call),
        gasLimit: gasLimit === undefined ? undefined : wholeText(gasLimit, 'gasLimit'),
        confirmations: confirmations === undefined ? undefined : toCount(confirmations, 'minConfirmations'),
        failsOnRevert: toBoolean(params.find('failOnRevert') ?? true, 'failOnRevert'),
      },
      call.signal,
    );
  },
};

function chainCall(call: TaskCall, to: 'to' | 'contract'): ChainCall {
  const { params } = call;
  const from = params.find('from');
  const gas = params.find('gas');
  return {
    chainId: chainOf(call),
    to: toAddress(params.get(to), to),
    data: formatHex(toBytes(params.get('data'), 'data')),
    from: from === undefined ? undefined : toAddress(from, 'from'),
    gas: gas === undefined ? undefined : wholeText(gas, 'gas'),
  };
}

function chainOf({ params, job }: TaskCall): string | undefined {
  const given = params.find('evmChainID') ?? job.evmChainID;
  return given === undefined ? undefined : wholeText(given, 'evmChainID');
}

function blockOf({ params }: TaskCall): 'latest' | 'pending' {
  const block = toText(params.find('block') ?? 'latest', 'block').toLowerCase();
  if (block === 'latest' || block === 'pending') return block;
  throw refusal(`block must be latest or pending, not ${block}`);
}

/** One, or a list, or the text of a list. */
function sendersOf({ params }: TaskCall): readonly string[] {
  const given = params.find('from');
  if (given === undefined) return [];
  if (isList(given) || (typeof given === 'string' && given.trim().startsWith('['))) {
    return toList(given, 'from').map((item) => toAddress(item, 'from'));
  }
  return [toAddress(given, 'from')];
}

function toAddress(value: Value, what: string): string {
  const bytes = isBytes(value) ? value : typeof value === 'string' ? parseHex(value.trim()) : undefined;
  if (bytes?.length === 20) return formatHex(bytes);
  throw new PatchbayError('oracle.answer', {
    detail: `${what} must be an address: 0x and 40 hexadecimal digits`,
  });
}

function wholeText(value: Value, what: string): string {
  const number = toDecimal(value, what);
  if (number.lt(0) || !number.eq(number.round(0, 0)))
    throw refusal(`${what} must be a whole number, not ${formatDecimal(number)}`);
  return roundDecimal(number).toString();
}
