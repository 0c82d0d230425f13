import { templateHelpers } from '#engine';
import { code, generatedBy, table, type Page } from './page.js';

export function templateHelpersPage(): Page {
  const rows = templateHelpers.map(({ name, parameters, summary, example }) => [
    code([name, ...parameters].join(' ')),
    summary,
    code(example.template),
    code(example.gives),
  ]);
  const content = `${generatedBy}

# Template helpers

What a template in a flow may call. A helper computes text or a number from its arguments; it decides nothing and reaches
nothing outside. An argument with \`?\` may be left out. How templates work is told in [flows](flows.md#templates).

${table(['Helper', 'What it does', 'Example', 'Gives'], rows)}
`;
  return { path: 'docs/template-helpers.md', content };
}
