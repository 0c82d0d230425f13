/**
 * JSON text that PostgreSQL keeps: jsonb refuses U+0000 and lone surrogates, and text from a chain is an attacker's to
 * choose. Big integers become decimal text.
 */
export function storableJson(value: unknown): string {
  const json = toJson(value);
  if (!json.includes('\\u0000') && !json.includes('\\ud')) return json;
  return JSON.stringify(JSON.parse(json), (_, item: unknown) =>
    // Through UTF-8, because a lone surrogate has no form in it and comes back as U+FFFD.
    typeof item === 'string' ? Buffer.from(item).toString().replaceAll('\0', '␀') : item,
  );
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // A replacer makes stringify several times slower, so only values with a bigint pay for it.
    return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)) ?? 'null';
  }
}
