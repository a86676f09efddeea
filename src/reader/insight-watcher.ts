import type { Insight } from '../model/index.ts';
import type { Context } from '../pipeline/component.ts';
import type { Store } from '../pipeline/store.ts';
import {
  abandonInsight,
  abandonWatch,
  type Filter,
  newWatch,
  type Watch,
  type WatchedMinute,
  watchMinute,
  windowMinutes,
} from '../query/index.ts';
import type { Group, GroupRegistry } from './groups.ts';
import type { InsightDocuments } from './insight-documents.ts';

/** Finds the insights of groups as time goes on, and keeps them in the store. */
export interface InsightWatcher {
  /**
   * Judges every minute that is over and was not judged yet, of at most the last hour. To be called
   * once a minute, by one process for each store, and not before the last call has ended. After an
   * error the next call does what this one left.
   * @throws RaybridgeError STORE_UNAVAILABLE, STORE_FAILED; the signal's reason.
   */
  evaluate(signal: AbortSignal): Promise<void>;
}

interface WatcherInput extends Pick<Context, 'nowNs' | 'log' | 'telemetry'> {
  readonly store: Store;
  readonly insights: InsightDocuments;
  readonly groups: Pick<GroupRegistry, 'list' | 'filters'>;
}

const minuteNs = 60_000_000_000n;
/** A minute counts as over so much later, because spans come after they have ended. */
export const lateMs = 10_000;
/** Minutes before are not made up for after a pause; a group that is watched for the first time begins with them. */
const catchUpMinutes = 60;
/** Closed insights are kept for as long as X-Ray shows them, and the newest of so many. */
export const insightDaysMax = 30;
const insightsMax = 500;
const tidyIntervalMinutes = 60;

export function createInsightWatcher({
  store,
  insights: documents,
  groups,
  nowNs,
  log,
  telemetry,
}: WatcherInput): InsightWatcher {
  let known: Map<string, Watch> | undefined;
  let tidiedMinute = -Infinity;

  return {
    async evaluate(signal) {
      const minute = Number((nowNs() - BigInt(lateMs) * 1_000_000n) / minuteNs) - 1;
      const watches = (known ??= await readWatches());
      const watched = await watchedGroups(groups);
      const failures: unknown[] = [];
      for (const group of watched) {
        // One group that is too much for the store does not keep the others from being looked at.
        await evaluateGroup(watches, group, { minute, signal }).catch((error: unknown) => failures.push(error));
        signal.throwIfAborted();
      }
      const arns = new Set(watched.map(({ arn }) => arn));
      for (const [arn, watch] of watches) if (!arns.has(arn)) await abandon(watches, arn, watch);
      if (Math.abs(minute - tidiedMinute) >= tidyIntervalMinutes) await tidy(minute);
      if (failures.length > 0) throw failures[0];
    },
  };

  async function readWatches(): Promise<Map<string, Watch>> {
    const watches = new Map<string, Watch>();
    for (const [arn, watch] of await documents.watches()) {
      if (watch !== 'unreadable') watches.set(arn, watch);
      else log.warn({ group: arn }, 'what insights knew of a group cannot be read; they begin anew');
    }
    await closeForgotten(watches);
    return watches;
  }

  /** Insights whose watch is lost would stay active for ever. */
  async function closeForgotten(watches: ReadonlyMap<string, Watch>): Promise<void> {
    const active = new Set([...watches.values()].flatMap((watch) => watch.active.map(({ insight }) => insight.id)));
    const forgotten = (await documents.list()).filter(
      ({ id, endMinute }) => endMinute === undefined && !active.has(id),
    );
    await documents.put(forgotten.map((insight) => abandonInsight(insight)));
  }

  async function evaluateGroup(
    watches: Map<string, Watch>,
    group: WatchedGroup,
    { minute, signal }: { readonly minute: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const earliest = minute - catchUpMinutes;
    let watch = watches.get(group.arn) ?? newWatch(earliest);
    // The clock was far ahead for a while.
    if (watch.minute > minute + catchUpMinutes) {
      await abandon(watches, group.arn, watch);
      watch = newWatch(earliest);
    }
    const first = Math.max(watch.minute, earliest) + 1;
    if (first > minute) return;

    const periods = await store.graphs({
      fromNs: BigInt(first - windowMinutes + 1) * minuteNs,
      toNs: BigInt(minute + 1) * minuteNs,
      periodNs: minuteNs,
      filter: group.filter,
      groups: new Map(),
      signal,
    });
    const graphs = periods.map(({ fromNs, graph }) => ({ minute: Number(fromNs / minuteNs), graph }));
    const insights = new Map<string, Insight>();
    const changes: WatchedMinute['changes'][number][] = [];
    const wasActive = watch.active.length > 0;
    for (let next = first; next <= minute; next += 1) {
      const judged = watchMinute(watch, { minute: next, graphs, group });
      for (const insight of judged.insights) insights.set(insight.id, insight);
      changes.push(...judged.changes);
      watch = judged.watch;
    }
    // The watch comes last: what a crash cuts off is judged again, and gives the same insights.
    await documents.put(insights.values());
    if (graphs.length > 0 || wasActive) await documents.putWatch(group.arn, watch);
    watches.set(group.arn, watch);
    for (const change of changes) announce(group, change);
  }

  async function abandon(watches: Map<string, Watch>, arn: string, watch: Watch): Promise<void> {
    await documents.put(abandonWatch(watch));
    await documents.putWatch(arn, undefined);
    watches.delete(arn);
  }

  /** There is no EventBridge to send notifications to: they go to the log. */
  function announce(group: WatchedGroup, { insight, event }: WatchedMinute['changes'][number]): void {
    telemetry.count('raybridge_insight_events_total', { change: event.change });
    if (!group.notificationsEnabled) return;
    const { id, groupName, rootCause } = insight;
    log.info({ insight: id, group: groupName, rootCause: rootCause.name, change: event.change }, event.summary);
  }

  async function tidy(minute: number): Promise<void> {
    const oldest = minute - insightDaysMax * 24 * 60;
    const closed = (await documents.list()).filter(({ endMinute }) => endMinute !== undefined);
    const gone = closed.filter(({ endMinute = minute }, index) => index >= insightsMax || endMinute < oldest);
    await documents.remove(gone.map(({ id }) => id));
    tidiedMinute = minute;
  }
}

interface WatchedGroup extends Group {
  readonly filter: Filter | undefined;
}

/** As on AWS, a group whose expression cannot be read takes no part. */
async function watchedGroups(groups: WatcherInput['groups']): Promise<readonly WatchedGroup[]> {
  const filters = await groups.filters();
  return (await groups.list()).flatMap((group) => {
    const filter = filters.get(group.name);
    if (!group.insightsEnabled || !filter) return [];
    return [{ ...group, filter: group.filterExpression === undefined ? undefined : filter }];
  });
}
