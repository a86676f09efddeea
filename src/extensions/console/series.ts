import { RaybridgeError } from '../../errors.ts';
import { secondsText } from '../../model/index.ts';
import { toStatisticsAnswer } from '../../query/index.ts';
import type { GraphRange, TraceReader } from '../../reader/index.ts';

const minuteNs = 60_000_000_000n;
/** More bars cannot be told apart. */
const periodsMax = 300n;

/**
 * What one node of the service graph saw in each period of a range: minutes, or as many of them as the range wants.
 * @throws RaybridgeError INVALID_REQUEST, STORE_UNAVAILABLE.
 */
export async function seriesAnswer(reader: TraceReader, query: URLSearchParams, range: GraphRange): Promise<object> {
  const name = query.get('name');
  if (!name) throw new RaybridgeError('INVALID_REQUEST', 'name: expected the name of a service, got nothing');
  const node = { name, type: query.get('type') ?? undefined, accountId: query.get('account') ?? undefined };
  const minutes = (range.toNs - range.fromNs) / minuteNs / periodsMax + 1n;
  const periods = await reader.series({
    ...range,
    periodNs: minutes * minuteNs,
    selector: { kind: 'service', node },
  });
  return {
    PeriodSeconds: Number(minutes) * 60,
    Periods: periods.map(({ fromNs, statistics }) => ({
      Timestamp: Number(secondsText(fromNs)),
      ServiceSummaryStatistics: toStatisticsAnswer(statistics),
    })),
  };
}
