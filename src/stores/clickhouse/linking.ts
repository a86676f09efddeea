import type { ClickHouseClient } from '@clickhouse/client';
import type { SpanLink } from '../../pipeline/store.ts';
import { select } from './select.ts';

// An older copy of a span may name a link that the last one has no more: the traces that any copy finds
// are looked at again, and the last copies decide.
const selectLinking = `
  SELECT trace_id, span_id, argMax(link_trace_id, precedence) AS ids, argMax(link_span_id, precedence)
  FROM spans
  WHERE trace_id IN (
    SELECT DISTINCT trace_id
    FROM spans
    WHERE has(link_trace_id, toFixedString(unhex({id:String}), 16))
      AND trace_id != toFixedString(unhex({id:String}), 16)
    LIMIT {limit:UInt32}
  )
  GROUP BY trace_id, span_id
  HAVING has(ids, toFixedString(unhex({id:String}), 16))
  ORDER BY min(start_ns), trace_id, span_id
  LIMIT {limit:UInt32}
  FORMAT RowBinary`;

/** Store.linksTo. */
export async function readLinksTo(
  client: ClickHouseClient,
  traceId: string,
  limit: number,
): Promise<readonly SpanLink[]> {
  const links: SpanLink[] = [];
  await select(client, { query: selectLinking, parameters: { id: traceId, limit } }, (row) => {
    const linking = { traceId: row.hex(16), spanId: row.hex(8) };
    const to = row.array(() => row.hex(16));
    const toSpans = row.array(() => row.hex(8));
    for (const [i, toSpanId] of toSpans.entries()) if (to[i] === traceId) links.push({ ...linking, toSpanId });
  });
  return links.slice(0, limit);
}
