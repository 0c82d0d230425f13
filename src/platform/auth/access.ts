import { SetMetadata } from '@nestjs/common';

import type { Scope } from './scopes.js';

/** Who may call a route: anybody, or a key with all of these scopes. */
export type Access = 'public' | readonly Scope[];

export const accessKey = 'patchbay:access';

/** Only for keys with all of these scopes. */
export const Scopes = (first: Scope, ...others: readonly Scope[]) =>
  SetMetadata(accessKey, [first, ...others] satisfies Access);

/** For anybody: health, signed hooks, pages without data. */
export const Public = () => SetMetadata(accessKey, 'public' satisfies Access);

export const basicKey = 'patchbay:basic';

/** Of a class whose clients only speak Basic: the key may come as the password, under any user name. */
export const TakesBasic = () => SetMetadata(basicKey, true);

/** What the method says, else what its class says. */
export function accessOf(type: object, method: object): Access | undefined {
  return (Reflect.getMetadata(accessKey, method) ?? Reflect.getMetadata(accessKey, type)) as Access | undefined;
}
