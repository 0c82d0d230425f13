import Big from 'big.js';
import { formatDecimal, parseDecimal, type Decimal } from '../../decimal.js';
import type { TaskType } from '../task-type.js';
import { refusal, toBoolean, toCount, toDecimal } from '../value.js';

/** Exactly, with as many digits as it takes. */
export const multiply: TaskType = {
  attributes: ['input', 'times'],
  required: ['times'],
  mostInputs: 1,
  run: ({ params }) => toDecimal(params.getOrInput('input'), 'input').times(toDecimal(params.get('times'), 'times')),
};

export const divide: TaskType = {
  attributes: ['input', 'divisor', 'precision'],
  required: ['divisor'],
  mostInputs: 1,
  run({ params }) {
    const precision = params.find('precision');
    return quotient(
      toDecimal(params.getOrInput('input'), 'input'),
      toDecimal(params.get('divisor'), 'divisor'),
      precision === undefined ? undefined : toCount(precision, 'precision'),
    );
  },
};

export const lessthan: TaskType = {
  attributes: ['left', 'right'],
  required: ['right'],
  mostInputs: 1,
  run: ({ params }) => toDecimal(params.getOrInput('left'), 'left').lt(toDecimal(params.get('right'), 'right')),
};

/** There is no branch: what is not true ends the run. */
export const conditional: TaskType = {
  attributes: ['data'],
  mostInputs: 1,
  run({ params }) {
    if (toBoolean(params.getOrInput('data'), 'data')) return true;
    throw refusal('The condition does not hold');
  },
};

const usualPrecision = 16;
const mostPrecision = 1_000;

/** Rounded once, half away from zero; a negative precision rounds to tens. */
export function quotient(dividend: Decimal, divisor: Decimal, precision = usualPrecision): Decimal {
  if (divisor.eq(0)) throw refusal('The divisor is 0');
  if (Math.abs(precision) > mostPrecision) throw refusal(`A precision of ${String(precision)} is too much`);
  const Places = Big();
  Places.DP = Math.max(0, precision);
  Places.RM = Big.roundHalfUp;
  const unit = new Big(10).pow(Math.max(0, -precision));
  const rounded = new Places(formatDecimal(dividend)).div(divisor.times(unit)).times(unit);
  return parseDecimal(rounded.toFixed());
}
