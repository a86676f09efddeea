import type { ClickHouseClient } from '@clickhouse/client';
import { decodeRows, type RowReader } from './native.ts';

export type Parameters = Readonly<Record<string, string | number | bigint | readonly (string | number | bigint)[]>>;

interface Selection {
  /** A constant that ends in FORMAT RowBinary; what varies is bound as `{name:Type}`. */
  readonly query: string;
  readonly parameters?: Parameters;
  /** Stops the query, at the server too. */
  readonly signal?: AbortSignal;
}

const mebibyte = 1024 * 1024;

/** Ids that one query is asked about: they travel in the URL, which may have a mebibyte. */
export const idsPerQueryMax = 500;

/** The list in parts of at most `size`; none of an empty one. */
export function partsOf<Value>(list: readonly Value[], size: number): readonly (readonly Value[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

const uint64Max = 2n ** 64n - 1n;

/** The nearest time that a UInt64 holds. */
export function clampTime(timeNs: bigint): bigint {
  if (timeNs < 0n) return 0n;
  return timeNs > uint64Max ? uint64Max : timeNs;
}

/**
 * `readonly=2` refuses every change but that of settings; together with cancel-on-close it makes the
 * server drop the query of a client that went away. `wait_end_of_query` turns an error in the middle
 * of an answer into an answer that is an error.
 */
const selectSettings = {
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
  wait_end_of_query: 1,
  max_execution_time: 30,
  max_memory_usage: String(512 * mebibyte),
  max_bytes_before_external_group_by: String(256 * mebibyte),
} as const;

/** Runs a query and decodes its rows as they arrive. */
export async function select(
  client: ClickHouseClient,
  { query, parameters = {}, signal }: Selection,
  decodeRow: (row: RowReader) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const { stream } = await client.exec({
    query,
    query_params: parameters,
    clickhouse_settings: selectSettings,
    ...(signal ? { abort_signal: signal } : {}),
  });
  await decodeRows(stream, decodeRow);
}
