import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { PatchbayError, z, type ConnectorDefinition } from '#sdk';

const listed = z.object({ connectors: z.array(z.string()).default([]) });

/** Connectors that third parties publish on npm, listed under `connectors:` in the configuration file. */
export async function installedConnectors(configurationFile: string): Promise<ConnectorDefinition[]> {
  const text = await readFile(configurationFile, 'utf8').catch(() => '');
  const parsed = listed.safeParse(parse(text) ?? {});
  const packages = parsed.success ? parsed.data.connectors : [];
  const { resolve: find } = createRequire(resolve(configurationFile));
  return Promise.all(
    packages.map(async (name) => {
      try {
        const module = (await import(pathToFileURL(find(name)).href)) as { default: ConnectorDefinition };
        return module.default;
      } catch (error) {
        throw new PatchbayError('config.invalid', {
          detail: `The connector ${name} in ${configurationFile} cannot be loaded.`,
          fix: `npm install ${name}`,
          cause: error,
        });
      }
    }),
  );
}
