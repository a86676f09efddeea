import type { ClickHouseClient } from '@clickhouse/client';
import type { ResponseTimeCell, ResponseTimesQuery } from '../../pipeline/store.ts';
import { responseTimeScale } from '../../query/index.ts';
import type { Condition } from './find-traces.ts';
import { clampTime, select } from './select.ts';

/** As the query adds them up. */
const flags = { fault: 1, error: 2, throttle: 4 } as const;

/** Store.responseTimes. */
export async function countResponseTimes(
  client: ClickHouseClient,
  { fromNs, toNs, columnNs, signal }: ResponseTimesQuery,
  wanted: Condition,
): Promise<readonly ResponseTimeCell[]> {
  const cells: ResponseTimeCell[] = [];
  const from = clampTime(fromNs);
  // A trace has a row for each of its digests until the engine has merged them: FINAL reads the last.
  const query = `
    SELECT
      intDiv(start_ns - {from:UInt64}, {column:UInt64}) AS at,
      toInt32(floor(log10(greatest(seconds, {secondsMin:Float64})) * {bucketsPerDecade:UInt32} + {roundingSlack:Float64})) AS bucket,
      toUInt8(fault * 1 + error * 2 + throttle * 4) AS flags,
      count() AS traces
    FROM (
      SELECT start_ns, if(empty(response_time), duration, response_time[1]) AS seconds, fault, error, throttle
      FROM digests FINAL
      WHERE minute >= intDiv({from:UInt64}, 60000000000) AND minute <= intDiv({to:UInt64}, 60000000000)
        AND start_ns >= {from:UInt64} AND start_ns < {to:UInt64} AND NOT removed
        AND (${wanted.condition})
    )
    GROUP BY at, bucket, flags
    FORMAT RowBinary`;
  const parameters = { ...wanted.parameters, ...responseTimeScale, from, to: clampTime(toNs), column: columnNs };
  await select(client, { query, parameters, signal }, (row) => {
    const at = row.uint64();
    const bucket = row.int32();
    const set = row.uint8();
    cells.push({
      fromNs: from + at * columnNs,
      bucket,
      fault: (set & flags.fault) > 0,
      error: (set & flags.error) > 0,
      throttle: (set & flags.throttle) > 0,
      traces: Number(row.uint64()),
    });
  });
  return cells;
}
