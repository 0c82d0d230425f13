import type { Fault } from '#sdk';
import { isRecord, type Path } from './path.js';
import { hasTemplate, withoutTemplates } from './template.js';
import { parseYaml, type FaultText } from './yaml-document.js';

/** One use of a trigger or an action, as far as it can be known before there is an event. */
export interface FlowUse {
  readonly uses: string;
  readonly connection: string | undefined;
  /** As written; what a template will give is `undefined`. */
  readonly input: Readonly<Record<string, unknown>>;
  /** A fault at a place of the inputs, e.g. `/fields/Name`, with its line and column. */
  faultAt(pointer: string, fault: FaultText): Fault;
}

/** Everything that a flow uses, in the order of the document; what cannot be read as a flow uses nothing. */
export function usesOf(text: string, file?: string): readonly FlowUse[] {
  const document = parseYaml(text, file);
  const { data } = document;
  if (!isRecord(data)) return [];
  const places: (readonly [unknown, Path])[] = [[data['trigger'], ['trigger']]];
  for (const line of ['steps', 'onFailure', 'onReverted']) {
    const steps = data[line];
    if (Array.isArray(steps)) places.push(...steps.map((step: unknown, index) => [step, [line, index]] as const));
  }
  return places.flatMap(([use, path]): FlowUse[] => {
    if (!isRecord(use) || typeof use['uses'] !== 'string') return [];
    const { uses, connection, with: input } = use;
    if (typeof connection === 'string' && hasTemplate(connection)) return [];
    return [
      {
        uses,
        connection: typeof connection === 'string' ? connection : undefined,
        input: isRecord(input) ? withoutTemplates(input) : {},
        faultAt: (pointer, fault) => {
          const at = [...path, 'with', ...pointer.split('/').slice(1)];
          // A name within the inputs is at fault itself; of an input, what was given for it is.
          return document.faultAt(at, fault, at.length > path.length + 2 ? { on: 'key' } : {});
        },
      },
    ];
  });
}
