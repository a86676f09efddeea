import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';

interface Insertion {
  /** `INSERT INTO … FORMAT Native`. */
  readonly query: string;
  readonly block: Buffer;
  /** The engine takes a block with a token that it has seen for the same block. */
  readonly token?: string;
}

/** The engine would otherwise gather small inserts by itself and answer before it has them on disk. */
const insertSettings = { async_insert: 0 } as const;
const tokenSettings = { insert_deduplicate: 1, deduplicate_blocks_in_dependent_materialized_views: 1 } as const;

/** Durable when it resolves. */
export async function insertBlock(client: ClickHouseClient, { query, block, token }: Insertion): Promise<void> {
  const { stream } = await client.exec({
    query,
    values: Readable.from([block], { objectMode: false }),
    clickhouse_settings: {
      ...insertSettings,
      ...(token === undefined ? {} : { ...tokenSettings, insert_deduplication_token: token }),
    },
  });
  await finished(stream.resume());
}
