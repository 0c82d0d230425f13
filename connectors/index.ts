import type { ConnectorDefinition } from '#sdk';
import evm from './evm/index.js';
import gateway from './gateway/index.js';
import http from './http/index.js';
import ifttt from './ifttt/index.js';
import oracle from './oracle/index.js';
import salesforce from './salesforce/index.js';
import schedule from './schedule/index.js';
import webhook from './webhook/index.js';
import zapier from './zapier/index.js';

/** What the hub can talk to without installing anything. */
export const builtInConnectors: readonly ConnectorDefinition[] = [
  evm,
  gateway,
  oracle,
  salesforce,
  ifttt,
  zapier,
  http,
  webhook,
  schedule,
];
