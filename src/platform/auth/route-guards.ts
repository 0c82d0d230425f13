import { PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';

import { PatchbayError } from '#sdk';

import { accessOf } from './access.js';

export interface Route {
  readonly controller: new (...args: never[]) => object;
  readonly handler: object;
  readonly method: string;
  /** Class and method, for people. */
  readonly name: string;
}

/** Every method of every controller that answers to a path. */
export function listRoutes(container: ModulesContainer): Route[] {
  const modules = [...container.values()];
  const controllers = new Set(
    modules.flatMap((module) => [...module.controllers.values()].map((wrapper) => wrapper.metatype)),
  );
  return [...controllers].flatMap((metatype) => {
    if (typeof metatype !== 'function') return [];
    const controller = metatype as Route['controller'];
    return methodsOf(controller.prototype as object)
      .filter(({ handler }) => Reflect.hasMetadata(PATH_METADATA, handler))
      .map(({ name, handler }) => ({ controller, handler, method: name, name: `${controller.name}.${name}` }));
  });
}

/** A forgotten decorator would be an open door; so the hub does not start with one. @throws internal */
export function assertEveryRouteGuarded(app: INestApplicationContext): void {
  const open = listRoutes(app.get(ModulesContainer)).filter(
    ({ controller, handler }) => accessOf(controller, handler) === undefined,
  );
  if (open.length === 0) return;
  throw new PatchbayError('internal', {
    detail: `Routes without a rule of access: ${open.map(({ name }) => name).join(', ')}`,
    fix: 'Decorate each with @Scopes(…) or @Public().',
  });
}

function methodsOf(prototype: object): { name: string; handler: object }[] {
  const found = new Map<string, object>();
  for (
    let level: object | null = prototype;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && name !== 'constructor' && !found.has(name)) found.set(name, value as object);
    }
  }
  return [...found].map(([name, handler]) => ({ name, handler }));
}
