import { PatchbayError, type HttpClient } from '#sdk';
import type { StreamDefinition } from '../stream.schema.js';
import type { StreamTarget } from '../stream.js';
import { createFlowTarget, type FlowTargetDeps } from './flow.target.js';
import { createKinesisTarget } from './kinesis.target.js';
import { createLambdaTarget } from './lambda.target.js';
import { createWebhookTarget } from './webhook.target.js';

export interface TargetDeps extends FlowTargetDeps {
  readonly http: HttpClient;
}

/** @throws request.conflict for a target that is whoever connects */
export function createTarget(definition: StreamDefinition, deps: TargetDeps): StreamTarget {
  const { target } = definition;
  switch (target.type) {
    case 'webhook':
      return createWebhookTarget(target, { http: deps.http, shape: definition });
    case 'flow':
      return createFlowTarget(target, deps);
    case 'lambda':
      return createLambdaTarget(target, deps);
    case 'kinesis':
      return createKinesisTarget(target, deps);
    case 'websocket':
      throw new PatchbayError('request.conflict', {
        detail: 'The batches of this stream go to whoever is connected; the hub cannot call them.',
      });
  }
}
