import type { SamplingRuleRecord } from '../model/index.ts';
import { matchesRule, orderRules, type SamplingRequest } from './rules.ts';

/** A request that was seen, and how it ended. */
export interface SeenRequest {
  readonly startSeconds: number;
  readonly request: SamplingRequest;
  /** In X-Ray's sense; a throttle is an error. */
  readonly outcome: 'ok' | 'error' | 'fault';
}

/** What two sets of rules do with the same requests; all that is kept or lost are expected values. */
export interface SamplingPreview {
  /** By the service that was entered, busiest first. */
  readonly services: readonly ServicePreview[];
  /** In the order in which they are tried, those of both sets. */
  readonly rules: readonly RulePreview[];
}

export interface ServicePreview {
  readonly service: string;
  readonly seen: number;
  readonly errors: number;
  readonly faults: number;
  readonly before: Kept;
  readonly after: Kept;
}

export interface Kept {
  readonly kept: number;
  readonly errorsLost: number;
  readonly faultsLost: number;
}

/** `before` is undefined of a rule that is new, `after` of one that is gone. */
export interface RulePreview {
  readonly ruleName: string;
  readonly before: RuleUse | undefined;
  readonly after: RuleUse | undefined;
}

export interface RuleUse {
  /** Requests of which it decided. */
  readonly matched: number;
  readonly kept: number;
  /** Kept by the reservoir; the others by the fixed rate. */
  readonly reserved: number;
}

/** AWS X-Ray, price of a trace that is recorded, in USD. */
export const usdPerTrace = 5 / 1_000_000;

/**
 * What two sets of rules keep of the same requests. The first rule that matches decides; it keeps
 * `ReservoirSize` requests of each second, over all services, and of the rest the share `FixedRate`
 * (X-Ray developer guide, "sampling rules"). With whom the reservoir's share ends up is not decided,
 * so each request of a second counts for as much as any other.
 */
export function previewRules(
  requests: readonly SeenRequest[],
  { before, after }: { readonly before: readonly SamplingRuleRecord[]; readonly after: readonly SamplingRuleRecord[] },
): SamplingPreview {
  const [chancesBefore, chancesAfter] = [chancesOf(requests, before), chancesOf(requests, after)];
  const services = [...placesByService(requests)].map(([service, places]): ServicePreview => {
    const own = places.flatMap((place) => requests[place] ?? []);
    return {
      service,
      seen: own.length,
      errors: own.filter(({ outcome }) => outcome === 'error').length,
      faults: own.filter(({ outcome }) => outcome === 'fault').length,
      before: sumKept(places, requests, chancesBefore),
      after: sumKept(places, requests, chancesAfter),
    };
  });
  return {
    services: services.toSorted((a, b) => b.seen - a.seen || (a.service < b.service ? -1 : 1)),
    rules: rulesOf({ before, after }, [usesOf(before, chancesBefore), usesOf(after, chancesAfter)]),
  };
}

/** The rules with one of them as it would be; it is added when its name is new. */
export function withDraft(
  records: readonly SamplingRuleRecord[],
  draft: SamplingRuleRecord,
): readonly SamplingRuleRecord[] {
  return [...records.filter(({ rule }) => rule.ruleName !== draft.rule.ruleName), draft];
}

function placesByService(requests: readonly SeenRequest[]): ReadonlyMap<string, readonly number[]> {
  const services = new Map<string, number[]>();
  for (const [place, { request }] of requests.entries()) {
    const name = request.serviceName ?? '';
    const places = services.get(name);
    if (places) places.push(place);
    else services.set(name, [place]);
  }
  return services;
}

interface Chance {
  readonly ruleName: string;
  /** 0 to 1, both. */
  readonly kept: number;
  readonly reserved: number;
}

/** For each request the rule that decides, and how likely it keeps it. */
function chancesOf(requests: readonly SeenRequest[], records: readonly SamplingRuleRecord[]): readonly Chance[] {
  const ordered = orderRules(records).map(({ rule }) => rule);
  // The default rule is the last and matches always.
  const rules = requests.flatMap(({ request }) => ordered.find((rule) => matchesRule(rule, request)) ?? []);
  const seconds = requests.map(({ startSeconds }, index) => `${Math.floor(startSeconds)} ${rules[index]?.ruleName}`);
  const counts = new Map<string, number>();
  for (const second of seconds) counts.set(second, (counts.get(second) ?? 0) + 1);
  return rules.map(({ ruleName, reservoirSize, fixedRate }, index) => {
    const count = counts.get(seconds[index] ?? '') ?? 1;
    const reserved = Math.min(count, reservoirSize) / count;
    return { ruleName, reserved, kept: reserved + (1 - reserved) * fixedRate };
  });
}

function sumKept(places: readonly number[], requests: readonly SeenRequest[], chances: readonly Chance[]): Kept {
  let kept = 0;
  let errorsLost = 0;
  let faultsLost = 0;
  for (const place of places) {
    const chance = chances[place]?.kept ?? 0;
    const outcome = requests[place]?.outcome;
    kept += chance;
    if (outcome === 'error') errorsLost += 1 - chance;
    if (outcome === 'fault') faultsLost += 1 - chance;
  }
  return { kept, errorsLost, faultsLost };
}

function usesOf(records: readonly SamplingRuleRecord[], chances: readonly Chance[]): ReadonlyMap<string, RuleUse> {
  const uses = new Map(orderRules(records).map(({ rule }) => [rule.ruleName, { matched: 0, kept: 0, reserved: 0 }]));
  for (const { ruleName, kept, reserved } of chances) {
    const use = uses.get(ruleName);
    if (!use) continue;
    use.matched += 1;
    use.kept += kept;
    use.reserved += reserved;
  }
  return uses;
}

function rulesOf(
  { before, after }: { readonly before: readonly SamplingRuleRecord[]; readonly after: readonly SamplingRuleRecord[] },
  [usesBefore, usesAfter]: readonly [ReadonlyMap<string, RuleUse>, ReadonlyMap<string, RuleUse>],
): readonly RulePreview[] {
  const gone = before.filter(({ rule }) => !usesAfter.has(rule.ruleName));
  return orderRules([...after, ...gone]).map(({ rule: { ruleName } }) => ({
    ruleName,
    before: usesBefore.get(ruleName),
    after: usesAfter.get(ruleName),
  }));
}
