/** Holds back the next call of a method, until it is released. */
export function holdNext<T extends object, Method extends keyof T>(target: T, method: Method) {
  const original = target[method] as (...given: unknown[]) => unknown;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const asked = new Promise<void>((resolve) => {
    const held = async (...given: unknown[]): Promise<unknown> => {
      Reflect.deleteProperty(target, method);
      resolve();
      await released;
      return Reflect.apply(original, target, given);
    };
    Object.assign(target, { [method]: held });
  });
  return { asked, release };
}
