import { parseTraceId } from '../../src/model/ids.ts';

/**
 * Where a link of the AWS X-Ray console leads here: `#/traces/<id>`, `#/traces?filter=…`,
 * `#/service-map`, with `timeRange=PT15M` or `timeRange=start~end` (UTC). Undefined for any other
 * fragment.
 */
export function fromAwsFragment(fragment: string): string | undefined {
  const parts = /^#\/?(traces|service-map|xray:traces|xray:service-map)(?:\/([^/?]+))?(\/raw)?\/?(?:\?(.*))?$/.exec(
    fragment,
  );
  if (!parts) return undefined;
  const [, page, id, raw, query] = parts;
  if (id) {
    const traceId = parseTraceId(id);
    return traceId ? `/traces/${id}${raw ? '?view=raw' : ''}` : undefined;
  }
  const given = new URLSearchParams(query);
  const wanted = rangeWords(given.get('timeRange') ?? '');
  const filter = given.get('filter');
  if (filter && page?.endsWith('traces')) wanted.set('q', filter);
  const words = wanted.toString();
  return `/${page?.endsWith('traces') ? 'traces' : 'map'}${words ? `?${words}` : ''}`;
}

function rangeWords(timeRange: string): URLSearchParams {
  const period = /^PT?(\d{1,5})([MHD])$/.exec(timeRange);
  if (period) return new URLSearchParams({ from: `-${period[1]}${period[2]?.toLowerCase()}` });
  const [from, to] = timeRange.split('~').map(utcSeconds);
  if (from === undefined || to === undefined) return new URLSearchParams();
  return new URLSearchParams({ from: String(from), to: String(to) });
}

/** `2026-1-9T14:03` with parts of one or two digits, in UTC. */
function utcSeconds(text: string): number | undefined {
  const parts = /^(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?/.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/** The first trace id, in X-Ray or W3C form, in a text such as a pasted log line. */
export function findTraceId(text: string): string | undefined {
  const candidates = text.match(/1-[0-9a-f]{8}-[0-9a-f]{24}(?![0-9a-f])|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi) ?? [];
  return candidates.find((candidate) => parseTraceId(candidate) !== undefined);
}
