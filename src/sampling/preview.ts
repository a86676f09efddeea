import type { SamplingRule, SamplingRuleRecord } from '../model/index.ts';
import { matchRule, type SamplingRequest } from './rules.ts';

/** A request that was seen, and whether it went wrong. */
export interface SeenRequest {
  readonly startSeconds: number;
  readonly request: SamplingRequest;
  /** Error, fault or throttle: what one would miss. */
  readonly failed: boolean;
}

/** What rules would have kept of the requests of a service; numbers are expected values. */
export interface ServicePreview {
  readonly service: string;
  readonly seen: number;
  readonly failed: number;
  readonly before: Kept;
  readonly after: Kept;
}

export interface Kept {
  readonly kept: number;
  /** Failed requests that would not have been kept. */
  readonly failedLost: number;
  /** By the name of the rule that decided. */
  readonly byRule: ReadonlyMap<string, number>;
}

/** AWS X-Ray, price of a trace that is recorded, in USD. */
export const usdPerTrace = 5 / 1_000_000;

/**
 * What two sets of rules keep of the same requests, by service, busiest first. A rule keeps
 * `ReservoirSize` requests of each second, over all services, and of the rest the share `FixedRate`
 * (X-Ray developer guide, "sampling rules"); with whom the reservoir's share ends up is not decided, so
 * each request of a second counts for as much as any other.
 */
export function previewRules(
  requests: readonly SeenRequest[],
  { before, after }: { readonly before: readonly SamplingRuleRecord[]; readonly after: readonly SamplingRuleRecord[] },
): readonly ServicePreview[] {
  const chances = [chancesOf(requests, before), chancesOf(requests, after)] as const;
  const services = new Map<string, number[]>();
  for (const [index, { request }] of requests.entries()) {
    const name = request.serviceName ?? '';
    const places = services.get(name);
    if (places) places.push(index);
    else services.set(name, [index]);
  }
  return [...services]
    .map(([service, places]): ServicePreview => ({
      service,
      seen: places.length,
      failed: places.filter((place) => requests[place]?.failed).length,
      before: sum(places, requests, chances[0]),
      after: sum(places, requests, chances[1]),
    }))
    .toSorted((a, b) => b.seen - a.seen || (a.service < b.service ? -1 : 1));
}

/** The rules with one of them as it would be; it is added when its name is new. */
export function withDraft(records: readonly SamplingRuleRecord[], draft: SamplingRule): readonly SamplingRuleRecord[] {
  const record = { rule: draft, createdAtNs: 0n, modifiedAtNs: 0n };
  const others = records.filter(({ rule }) => rule.ruleName !== draft.ruleName);
  return [...others, record];
}

interface Chance {
  readonly rule: string;
  /** 0 to 1. */
  readonly kept: number;
}

/** For each request the rule that decides, and how likely it keeps it. */
function chancesOf(requests: readonly SeenRequest[], records: readonly SamplingRuleRecord[]): readonly Chance[] {
  const rules = requests.map(({ request }) => matchRule(request, records));
  const seconds = requests.map(({ startSeconds }, index) => `${Math.floor(startSeconds)} ${rules[index]?.ruleName}`);
  const counts = new Map<string, number>();
  for (const second of seconds) counts.set(second, (counts.get(second) ?? 0) + 1);
  return rules.map(({ ruleName, reservoirSize, fixedRate }, index) => {
    const count = counts.get(seconds[index] ?? '') ?? 1;
    const reserved = Math.min(count, reservoirSize);
    return { rule: ruleName, kept: (reserved + (count - reserved) * fixedRate) / count };
  });
}

function sum(places: readonly number[], requests: readonly SeenRequest[], chances: readonly Chance[]): Kept {
  let kept = 0;
  let failedLost = 0;
  const byRule = new Map<string, number>();
  for (const place of places) {
    const chance = chances[place];
    if (!chance) continue;
    kept += chance.kept;
    if (requests[place]?.failed) failedLost += 1 - chance.kept;
    byRule.set(chance.rule, (byRule.get(chance.rule) ?? 0) + chance.kept);
  }
  return { kept, failedLost, byRule };
}
