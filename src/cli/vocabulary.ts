import { resolve } from 'node:path';
import { Catalog } from '#catalog';
import { builtInConnectors } from '../../connectors/index.js';
import { installedConnectors } from '../installed-connectors.js';
import type { Io } from './io.js';

/** What flows of this folder may use: the built-in connectors and those that its configuration file lists. */
export async function loadVocabulary({ env, cwd }: Pick<Io, 'env' | 'cwd'>): Promise<Catalog> {
  const file = resolve(cwd, env['PATCHBAY_CONFIG'] ?? 'patchbay.yaml');
  return new Catalog([...builtInConnectors, ...(await installedConnectors(file))]);
}
