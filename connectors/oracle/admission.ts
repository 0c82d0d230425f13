import { PatchbayError, type Refusal } from '#sdk';
import { readRequestData } from './request-data.js';

/** What a flow, or its connection, asks of those who ask. */
export interface Admission {
  /** In juels. */
  readonly minPayment: bigint;
  /** In lower case; empty: everybody. */
  readonly requesters: readonly string[];
  readonly maxDataBytes: number;
}

export interface Asked {
  readonly payment: string;
  readonly requester: string;
  /** 0x hex. */
  readonly data: string;
}

export interface Admitted {
  /** Empty where the data cannot be read. */
  readonly params: Record<string, unknown>;
  readonly refused?: Refusal;
}

/** Whether a request may be answered. What is known of it is told also when it may not, for whoever looks at it then. */
export function admit({ payment, requester, data }: Asked, rules: Admission): Admitted {
  const { params, refused } = read(data, rules.maxDataBytes);
  if (refused !== undefined) return { params, refused };
  if (BigInt(payment) < rules.minPayment) {
    return { params, refused: { code: 'oracle.payment', ...paysTooLittle(payment, rules.minPayment) } };
  }
  if (rules.requesters.length > 0 && !rules.requesters.includes(requester)) {
    const detail = `${requester} is none of the requesters that may ask.`;
    return { params, refused: { code: 'oracle.requester', detail, fix: 'Add it to requesters: to let it ask.' } };
  }
  return { params };
}

function read(data: string, maxDataBytes: number): Admitted {
  const bytes = (data.length - 2) / 2;
  if (bytes > maxDataBytes) {
    const detail = `The data of the request has ${String(bytes)} bytes; ${String(maxDataBytes)} are taken.`;
    return { params: {}, refused: { code: 'oracle.data', detail, fix: 'Raise maxDataBytes: if that much is meant.' } };
  }
  try {
    return { params: readRequestData(data) };
  } catch (thrown) {
    const { code, detail } = PatchbayError.from(thrown);
    return { params: {}, refused: { code, detail } };
  }
}

function paysTooLittle(payment: string, least: bigint): Pick<Refusal, 'detail' | 'fix'> {
  return {
    detail: `The request pays ${payment} juels; at least ${least.toString()} are asked for.`,
    fix: 'Lower minPayment:, or retry this one to answer it all the same.',
  };
}
