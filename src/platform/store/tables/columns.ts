import type { ColumnType, JSONColumnType } from 'kysely';

/** Written as JSON text, read as a parsed value. */
export type Json = JSONColumnType<object, string, string>;
export type NullableJson = ColumnType<unknown, string | null, string | null>;
export type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>;
export type NullableTimestamp = ColumnType<Date | null, Date | string | null, Date | string | null>;
/** bigint columns arrive as text. */
export type BigInt8 = ColumnType<string, string | number | bigint, string | number | bigint>;

export type NullableBigInt8 = ColumnType<
  string | null,
  string | number | bigint | null,
  string | number | bigint | null
>;
