import { RestError } from './rest-error.js';
import { matches, valueOf, type Row } from './soql-rows.js';
import { parseCondition } from './soql.js';

/** What an administrator of the org added to saving: a flow or trigger before the save, a validation, a duplicate rule. */
export type SaveRule =
  | (RuleTarget & {
      readonly kind: 'beforeSave';
      /** Changes fields of the row that is about to be saved, whoever saves it. */
      readonly change: (row: Row, before: Row | undefined) => Row;
    })
  | (RuleTarget & {
      readonly kind: 'setField';
      readonly field: string;
      /** How the value is changed; `set` writes `value`, `copy` takes that of the field named in `value`. */
      readonly how: 'upper' | 'lower' | 'round' | 'prefix' | 'suffix' | 'set' | 'copy';
      readonly value?: string | number | boolean | null;
    })
  | (RuleTarget & { readonly kind: 'validation'; readonly message: string; readonly field?: string })
  | (RuleTarget & {
      readonly kind: 'duplicates';
      /** Rows that hold equal values in all of these are duplicates. */
      readonly fields: readonly string[];
      /** Whether a caller may save nevertheless, with `Sforce-Duplicate-Rule-Header: allowSave=true`. */
      readonly allowsSave?: boolean;
    });

interface RuleTarget {
  readonly object: string;
  /** A SOQL condition, e.g. `Amount < 0`; the rule is for rows that fulfil it. Default: all. */
  readonly when?: string;
}

export class SaveRules {
  #rules: SaveRule[];

  constructor(rules: readonly SaveRule[]) {
    this.#rules = [...rules];
  }

  add(rule: SaveRule): void {
    if (rule.when !== undefined) parseCondition(rule.when);
    this.#rules.push(rule);
  }

  clear(): void {
    this.#rules = [];
  }

  list(): readonly SaveRule[] {
    return this.#rules;
  }

  /** What the rules make of the row. */
  beforeSave(object: string, row: Row, before: Row | undefined): Row {
    let changed = row;
    for (const rule of this.#for(object, row)) {
      if (rule.kind === 'beforeSave') changed = { ...changed, ...rule.change(changed, before) };
      if (rule.kind === 'setField') changed = { ...changed, [rule.field]: changedValue(rule, changed) };
    }
    return changed;
  }

  /** @throws FIELD_CUSTOM_VALIDATION_EXCEPTION, DUPLICATES_DETECTED */
  check(object: string, row: Row, others: () => readonly Row[], allowsDuplicates: boolean): void {
    for (const rule of this.#for(object, row)) {
      if (rule.kind === 'validation') {
        throw new RestError(400, 'FIELD_CUSTOM_VALIDATION_EXCEPTION', rule.message, [rule.field ?? []].flat());
      }
      if (rule.kind !== 'duplicates' || (allowsDuplicates && rule.allowsSave === true)) continue;
      const isSame = (other: Row) => rule.fields.every((field) => equal(valueOf(other, field), valueOf(row, field)));
      if (others().some((other) => other['Id'] !== row['Id'] && isSame(other))) {
        throw new RestError(400, 'DUPLICATES_DETECTED', 'Use one of these records?', []);
      }
    }
  }

  #for(object: string, row: Row): SaveRule[] {
    return this.#rules.filter(
      (rule) =>
        rule.object.toLowerCase() === object.toLowerCase() &&
        (rule.when === undefined || matches(parseCondition(rule.when), row)),
    );
  }
}

/** Reads a rule sent over HTTP; undefined when it is none that can be declared. */
export function parseRule(body: unknown): SaveRule | undefined {
  if (typeof body !== 'object' || body === null || !('kind' in body) || !('object' in body)) return undefined;
  const needed: Readonly<Record<string, string>> = { setField: 'how', validation: 'message', duplicates: 'fields' };
  const detail = needed[String(body.kind)];
  // What each kind cannot do without was looked for; the rest has defaults.
  return detail !== undefined && detail in body ? (body as SaveRule) : undefined;
}

function changedValue({ field, how, value }: Extract<SaveRule, { kind: 'setField' }>, row: Row): unknown {
  const current = valueOf(row, field);
  if (how === 'set') return value ?? null;
  if (how === 'copy') return valueOf(row, String(value));
  if (current === null) return null;
  if (how === 'round') return Number(Number(current).toFixed(Number(value ?? 0)));
  const text = String(current);
  if (how === 'upper') return text.toUpperCase();
  if (how === 'lower') return text.toLowerCase();
  // Rules must not pile up: a prefix or suffix that is there already is left alone.
  if (how === 'prefix') return text.startsWith(String(value)) ? text : `${value}${text}`;
  return text.endsWith(String(value)) ? text : `${text}${value}`;
}

function equal(left: unknown, right: unknown): boolean {
  return left !== null && right !== null && String(left).toLowerCase() === String(right).toLowerCase();
}
