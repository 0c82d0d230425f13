import { z } from '#sdk';

/** How IFTTT names triggers, actions, fields and ingredients. Renaming one breaks the Applets that use it. */
export function slug() {
  return z
    .string()
    .regex(
      /^[a-z][a-z0-9_]{0,63}$/,
      'must begin with a lower-case letter and consist of lower-case letters, digits and _',
    );
}

export const title = z.string().min(1).max(100).optional();
