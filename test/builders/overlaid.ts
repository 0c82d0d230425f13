import { PatchbayError } from '#sdk';

/** The same object but for some of its members. */
export function overlaid<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (Object.hasOwn(members, name)) return members[name as keyof T];
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** The same, but that the first call of a method (of those that are meant) finds the store away, and does nothing. */
export function awayOnce<T extends object, Method extends keyof T>(
  target: T,
  method: Method,
  isMeant: (given: unknown) => boolean = () => true,
): T & { readonly wasAway: boolean } {
  const members = {
    wasAway: false,
    [method]: (...given: unknown[]): unknown => {
      if (members.wasAway || !isMeant(given[0])) return Reflect.apply(target[method] as () => unknown, target, given);
      members.wasAway = true;
      return Promise.reject(new PatchbayError('store.unavailable'));
    },
  };
  return overlaid<object>(target, members) as T & { readonly wasAway: boolean };
}
