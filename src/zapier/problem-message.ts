import { explanationOf } from '#platform';
import type { Fault } from '#sdk';

interface Told {
  readonly detail: string;
  readonly fix?: string | undefined;
  readonly errors?: readonly Fault[] | undefined;
}

const mostFaults = 3;
const longestFault = 160;

/** A problem in one text, for those who see nothing else of it: the first faults are named unless its detail does so itself. */
export function messageOf({ detail, fix, errors = [] }: Told): string {
  const unsaid = errors.filter((fault) => !detail.includes(fault.detail));
  if (unsaid.length === 0) return explanationOf({ detail, fix });
  const told = unsaid.slice(0, mostFaults).map(faultText);
  if (unsaid.length > mostFaults) told.push(`and ${unsaid.length - mostFaults} more`);
  return explanationOf({ detail: `${detail.replace(/[.:]$/, '')}: ${told.join('; ')}`, fix });
}

function faultText({ pointer, detail, fix }: Fault): string {
  const place = pointer
    .replace(/^#?\/?/, '')
    .split('/')
    .join('.')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  const text = `${place === '' ? '' : `${place}: `}${explanationOf({ detail, fix })}`.replace(/\.$/, '');
  return text.length > longestFault ? `${text.slice(0, longestFault)}…` : text;
}
