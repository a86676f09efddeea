import type { ClickHouseClient } from '@clickhouse/client';
import { type Completion, completionTracesMax, type CompletionQuery } from '../../pipeline/store.ts';
import { clampTime, select } from './select.ts';

// The newest traces lie at the end of each part, so reading backwards ends after a few granules.
const newestDigests = `
      FROM digests
      WHERE minute >= intDiv({from:UInt64}, 60000000000) AND minute <= intDiv({to:UInt64}, 60000000000)
        AND start_ns >= {from:UInt64} AND start_ns < {to:UInt64} AND NOT removed
      ORDER BY minute DESC
      LIMIT {traces:UInt32}`;

const mostTraces = `
  GROUP BY text
  ORDER BY traces DESC, text
  LIMIT {limit:UInt32}
  FORMAT RowBinary`;

const selectKeys =
  `
  SELECT text, count() AS traces
  FROM (
    SELECT arrayJoin(arrayDistinct(arrayFilter(key -> startsWith(key, {prefix:String}), attribute_key))) AS text
    FROM (SELECT attribute_key` +
  newestDigests +
  '))' +
  mostTraces;

const selectValues =
  `
  SELECT text, count() AS traces
  FROM (
    SELECT arrayJoin(arrayDistinct(arrayFilter(
      (text, key, keyword) -> (key = {key:String} OR keyword = {key:String}) AND startsWith(text, {prefix:String}),
      attribute_text, attribute_key, attribute_keyword))) AS text
    FROM (SELECT attribute_text, attribute_key, attribute_keyword` +
  newestDigests +
  '))' +
  mostTraces;

/** Store.completions. */
export async function findCompletions(
  client: ClickHouseClient,
  { fromNs, toNs, key, prefix, limit }: CompletionQuery,
): Promise<readonly Completion[]> {
  const found: Completion[] = [];
  const range = { from: clampTime(fromNs), to: clampTime(toNs) };
  const parameters = { ...range, prefix, limit, traces: completionTracesMax, ...(key === undefined ? {} : { key }) };
  await select(client, { query: key === undefined ? selectKeys : selectValues, parameters }, (row) =>
    found.push({ text: row.text(), traces: Number(row.uint64()) }),
  );
  return found;
}
