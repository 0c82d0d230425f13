/** What Zapier checks when an app is published, and what its validation does not see offline; ids as Zapier prints them. */

interface Field {
  readonly key?: string;
  readonly label?: string;
  readonly helpText?: string;
  readonly type?: string;
  readonly dynamic?: string;
  readonly search?: string;
  readonly isNoSecret?: boolean;
  readonly primary?: boolean;
}

interface Operation {
  readonly key: string;
  readonly noun: string;
  readonly display: { readonly label: string; readonly description: string; readonly hidden?: boolean };
  readonly operation: {
    readonly type?: string;
    readonly inputFields?: readonly (Field | ((...given: never[]) => unknown))[];
    readonly outputFields?: readonly Field[];
    readonly sample?: Readonly<Record<string, unknown>>;
    readonly lock?: { readonly timeout?: number };
    readonly [name: string]: unknown;
  };
}

export interface PublishableApp {
  readonly platformVersion: string;
  readonly authentication: {
    readonly fields?: readonly Field[];
    readonly connectionLabel?: unknown;
    readonly test?: unknown;
  };
  readonly beforeRequest?: readonly unknown[];
  readonly triggers: Readonly<Record<string, Operation>>;
  readonly creates: Readonly<Record<string, Operation>>;
  readonly searches: Readonly<Record<string, Operation>>;
}

const credential = /(api_?key|token|secret|password|credential)$/i;
const link = /\[[^\]]+\]\(https:\/\/[^)]+\)/;
const brokenLink = /\[[^\]]*\]\((?!https:\/\/)[^)]*\)/;
const small = new Set(['a', 'an', 'and', 'at', 'by', 'for', 'from', 'in', 'of', 'on', 'or', 'the', 'to', 'with']);
const zonedTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** @returns every fault, with the id of the check and where it is */
export function publishingFaults(app: PublishableApp, core: { readonly version: string }): string[] {
  const faults: string[] = [];
  const fault = (id: string, where: string): void => void faults.push(`${id} ${where}`);
  if (app.platformVersion !== core.version) fault('platformVersion', app.platformVersion);

  const { fields = [], connectionLabel } = app.authentication;
  for (const { key = '', helpText = '', type, isNoSecret } of fields) {
    if (type === 'password' && !link.test(helpText)) fault('D002', `authentication.${key}`);
    if (credential.test(key) && (isNoSecret === true || type !== 'password')) fault('secret', `authentication.${key}`);
  }
  if (connectionLabel === undefined || /apiKey/.test(String(connectionLabel))) fault('D003', 'authentication');

  const groups = { triggers: app.triggers, creates: app.creates, searches: app.searches };
  for (const [group, operations] of Object.entries(groups)) {
    for (const operation of Object.values(operations)) {
      checkWords(operation, `${group}.${operation.key}`, fault);
      checkFields(operation, `${group}.${operation.key}`, app, fault);
      checkSample(operation, `${group}.${operation.key}`, fault);
    }
  }
  for (const trigger of Object.values(app.triggers)) checkTrigger(trigger, fault);
  for (const { key, operation } of Object.values(app.searches)) {
    if (staticFields(operation.inputFields).length === 0) fault('D009', key);
  }
  for (const { key, operation } of Object.values(app.creates)) {
    if (staticFields(operation.inputFields).length === 0) fault('D022', key);
    if ((operation.lock?.timeout ?? 0) > 180) fault('lock', key);
  }
  const text = JSON.stringify(app);
  if (/"http:\/\//.test(text)) fault('D007', 'app');
  if (/(javascript|data|file):\/?\/?/i.test(text)) fault('D025', 'app');
  if ((app.beforeRequest ?? []).length === 0) fault('D026', 'app');
  return faults;
}

type Report = (id: string, where: string) => void;

function checkWords({ display, operation }: Operation, where: string, fault: Report): void {
  if (!isTitleCase(display.label)) fault('D018', `${where}: ${display.label}`);
  if (!/^[A-Z].*\.$/.test(display.description)) fault('description', where);
  if (/zapier/i.test(display.label)) fault('label', where);
  for (const field of [...staticFields(operation.inputFields), ...(operation.outputFields ?? [])]) {
    if (field.label === undefined || !isTitleCase(field.label)) fault('D018', `${where}.${field.key ?? ''}`);
    if (field.helpText !== undefined && field.helpText === field.label) fault('D011', `${where}.${field.key ?? ''}`);
    if (brokenLink.test(field.helpText ?? '')) fault('D008', `${where}.${field.key ?? ''}`);
  }
}

function checkFields({ operation }: Operation, where: string, app: PublishableApp, fault: Report): void {
  for (const { key = '', dynamic, search } of staticFields(operation.inputFields)) {
    if (credential.test(key)) fault('D001', `${where}.${key}`);
    if (/(^|_)id$/.test(key) && dynamic === undefined) fault('D004', `${where}.${key}`);
    if (dynamic !== undefined) {
      const [trigger = '', id, label] = dynamic.split('.');
      const found = app.triggers[trigger];
      const sample = found?.operation.sample ?? {};
      const isFit = found?.operation.type === 'polling' && [id, label].every((name = '') => name in sample);
      if (!isFit) fault('D005', `${where}.${key}: ${dynamic}`);
    }
    if (search !== undefined && app.searches[search.split('.')[0] ?? ''] === undefined)
      fault('D013', `${where}.${key}`);
    if (search !== undefined && dynamic === undefined) fault('D014', `${where}.${key}`);
  }
}

function checkSample({ operation, display }: Operation, where: string, fault: Report): void {
  const { sample, outputFields = [] } = operation;
  if (sample === undefined || Object.keys(sample).length === 0) {
    if (display.hidden !== true) fault('D012', where);
    return;
  }
  const primary = outputFields.filter((field) => field.primary === true).map(({ key = '' }) => key);
  for (const key of primary.length > 0 ? primary : ['id']) if (!(key in sample)) fault('D010', `${where}.${key}`);
  for (const [key, value] of Object.entries(sample)) {
    const field = outputFields.find((one) => one.key === key);
    if (outputFields.length > 0 && field === undefined) fault('D024', `${where}.${key}`);
    const isTime = field?.type === 'datetime' || (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value));
    if (isTime && !zonedTime.test(String(value))) fault('D023', `${where}.${key}`);
    if (field?.type === 'integer' && !Number.isInteger(value)) fault('D024', `${where}.${key}`);
    if (field?.type === 'string' && typeof value !== 'string') fault('D024', `${where}.${key}`);
  }
  for (const { key = '' } of outputFields) if (!(key in sample)) fault('D024', `${where}.${key} is not in the sample`);
}

function checkTrigger({ key, display, operation }: Operation, fault: Report): void {
  if (!/^Triggers when [^.]+\.$/.test(display.description)) fault('D021', key);
  if (operation.type !== 'hook') return;
  for (const [id, name] of [
    ['D006', 'performList'],
    ['D016', 'performSubscribe'],
    ['D017', 'performUnsubscribe'],
  ] as const) {
    if (operation[name] === undefined) fault(id, key);
  }
}

function staticFields(fields: Operation['operation']['inputFields'] = []): Field[] {
  return fields.filter((field) => typeof field !== 'function');
}

function isTitleCase(label: string): boolean {
  const words = label.split(' ');
  return words.every(
    (word, index) => /^[A-Z0-9]/.test(word) || (index > 0 && index < words.length - 1 && small.has(word)),
  );
}
